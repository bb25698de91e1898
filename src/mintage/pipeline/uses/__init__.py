"""Stages, data and models of other repositories, used at a commit that the lock pins."""

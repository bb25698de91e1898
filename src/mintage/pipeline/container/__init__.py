"""Stages that run in a container image, which its digest names.

It promises that the command sees the stage's scratch folder and the image, and nothing else of the machine. It builds
no images and keeps none: that is the engine's.
"""

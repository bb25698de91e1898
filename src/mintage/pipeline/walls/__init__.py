"""The sandbox: a stage reads what it declares, its interpreter and the system, and writes its scratch folder alone."""

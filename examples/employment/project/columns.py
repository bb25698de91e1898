"""The columns that the model sees; the codes are the Census Bureau's."""

NUMBERS = ["AGEP", "SCHL"]
CODES = ["MAR", "RELP", "DIS", "ESP", "CIT", "MIG", "MIL", "ANC", "NATIVITY", "DEAR", "DEYE", "DREM", "SEX", "RAC1P"]
INPUTS = [*NUMBERS, *CODES]

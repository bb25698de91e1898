"""What reference data looked like: frozen bins and counts of inputs and scores, shipped inside the model.

Counts of any traffic over the same bins are integers that add exactly, so drift is judged without the reference rows.
"""

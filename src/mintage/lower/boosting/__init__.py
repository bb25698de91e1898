"""XGBoost, LightGBM and CatBoost: each library's own text format read strictly, and its sums written as a graph.

A file ``*_model`` reads, a file ``*_sums`` writes; the families of ``lower.families`` put the library's link behind.
"""

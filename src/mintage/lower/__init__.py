"""Exact lowering of fitted estimators to ONNX: open the estimator elsewhere, read its description, write the graph.

The estimator's file is opened by the scripts of ``extract`` in a process of its own; this room reads what that process
wrote (docs/spec/estimator-description.md). Each family of estimators is one file in ``families``.
"""

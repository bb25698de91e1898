"""The package: a trained model with all that is needed to serve, check and watch it, as one signed folder.

Nothing in it is code but an ONNX graph of allowed operators. Its id is the root digest of what is signed.
"""

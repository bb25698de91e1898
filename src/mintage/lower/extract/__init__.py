"""Open a fitted estimator and write down what it is, and what it answers. Runs alone, in the user's environment.

    python -I extract ESTIMATOR [ROWS.npz OUT_DIR]

Opening a joblib or pickle file runs code from it, so this happens in a process of its own that has no keys and
imports nothing of Mintage: the standard library, numpy, and the libraries that the estimator itself needs. It knows few
families of estimators: it writes the parameters of every object from an allowed library, and the name of anything
else. The formats are in docs/spec/estimator-description.md.
"""

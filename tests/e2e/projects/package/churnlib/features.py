import numpy as np
import pandas as pd

NUMERIC = ["tenure_months", "monthly_charge", "support_minutes"]


def add_features(frame: pd.DataFrame) -> pd.DataFrame:
    out = frame[NUMERIC].copy()
    out["charge_per_month_of_tenure"] = out["monthly_charge"] / (1.0 + out["tenure_months"])
    out["log_support"] = np.log1p(out["support_minutes"])
    out["is_yearly"] = (frame["contract"] == "yearly").astype(float)
    return out

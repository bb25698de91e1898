"""The columns that the model sees."""

CATEGORIES = ["carrier", "origin", "dest"]
SCHEDULE = ["minute_of_day", "weekday", "distance"]
WEATHER = ["humid", "wind_speed", "wind_gust", "precip", "visib"]
FEATURES = [*CATEGORIES, *SCHEDULE, *WEATHER]

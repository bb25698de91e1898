"""Serving: one gateway process an environment, files scored in batches, and the log of every prediction.

``gateway`` is the process (``python -m mintage.serve``): it takes the environment's lock and a loopback socket, follows
``desired.json`` (``follow``, ``desired``), loads and proves models (``routes``), and answers over HTTP (``server``,
``app``, ``oip``, ``statuses``, ``pages``, ``metrics``). ``control`` starts, finds and stops it from outside. ``batch``
scores files. ``split`` says who answers; ``predictionlog`` keeps what was answered. Formats: docs/spec/gateway.md and
docs/spec/prediction-log.md. It releases nothing and judges nothing: ``release`` writes what is desired.
"""

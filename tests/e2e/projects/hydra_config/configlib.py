"""Our own little hydra: a config with groups, dotted overrides on the command line, and _target_."""

import importlib

import yaml


def compose(folder, overrides=()):
    with open(f"{folder}/config.yaml") as stream:
        config = yaml.safe_load(stream)
    chosen = {}
    for item in config.pop("defaults", []):
        chosen.update(item)
    groups = {k: v for k, v in (o.split("=", 1) for o in overrides) if k in chosen}
    for group, name in {**chosen, **groups}.items():
        with open(f"{folder}/{group}/{name}.yaml") as stream:
            config[group] = yaml.safe_load(stream)
    for override in overrides:
        key, value = override.split("=", 1)
        if key in chosen:
            continue
        *path, last = key.split(".")
        node = config
        for part in path:
            node = node[part]
        node[last] = yaml.safe_load(value)
    return config


def instantiate(node):
    node = dict(node)
    module, name = node.pop("_target_").rsplit(".", 1)
    return getattr(importlib.import_module(module), name)(**node)

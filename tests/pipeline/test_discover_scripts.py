"""Which scripts become stages, in which order, and what is said of the others."""

from __future__ import annotations

import json

import pytest

from mintage.pipeline.discover.choose import Choice, choose
from mintage.pipeline.discover.script import read_script

FIT = "import joblib\nmodel = Model().fit(x, y)\njoblib.dump(model, 'model.joblib')\n"


def notebook(*cells: str, language: str = "python") -> str:
    code = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    return json.dumps({"cells": code, "metadata": {"kernelspec": {"language": language}}, "nbformat": 4})


def look(texts: dict[str, str], *, there: tuple[str, ...] = (), heart: str | None = None) -> Choice:
    read = {path: read_script(path, text) for path, text in texts.items()}
    return choose({path: script for path, script in read.items() if script is not None}, there=there, heart=heart)


def commands(choice: Choice) -> dict[str, str]:
    return {step.name: step.command for step in choice.steps}


def test_the_one_script_that_fits_is_the_stage():
    choice = look({"train.py": FIT, "helpers.py": "def f():\n    return 1\n"})
    assert commands(choice) == {"train": "python train.py"}
    assert choice.rivals == () and choice.left == ()


def test_a_script_of_any_name_is_taken_when_it_alone_runs():
    assert commands(look({"go.py": "run_everything()\n"})) == {"go": "python go.py"}
    assert look({"a.py": "one()\n", "b.py": "two()\n"}).steps == ()


@pytest.mark.parametrize(
    "text",
    [
        "def main():\n    m.fit(x)\nif __name__ == '__main__':\n    main()\n",
        "import click\n@click.command()\ndef main():\n    m.fit(x)\nmain()\n",
        "import xgboost as xgb\nbooster = xgb.train({}, data)\nbooster.save_model('m.json')\n",
        "for epoch in range(3):\n    loss.backward()\n    step()\n",
    ],
    ids=["guard", "click", "xgboost", "torch"],
)
def test_training_is_seen_in_its_usual_forms(text):
    assert commands(look({"a.py": text, "b.py": "print(1)\n"})) == {"a": "python a.py"}


def test_what_one_writes_and_the_other_reads_orders_them():
    choice = look(
        {
            "a_fit.py": "t = pd.read_parquet(DATA / 'clean.parquet')\nDATA = Path('work')\n" + FIT,
            "z_first.py": "pd.read_csv('raw.csv').to_parquet('work/clean.parquet')\n",
        }
    )
    assert [step.name for step in choice.steps] == ["z_first", "a_fit"]
    assert choice.steps[0].reason == "writes work/clean.parquet, which a_fit.py reads"


def test_paths_are_followed_through_argparse_joins_and_open():
    first = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--out-file', default='d/a.csv')\n"
    first += "args = p.parse_args()\nrows().to_csv(args.out_file)\n"
    second = "import os, pickle\nrows = read_csv(os.path.join('d', 'a.csv'))\nm.fit(rows)\n"
    second += "with open('m.pkl', 'wb') as f:\n    pickle.dump(m, f)\n"
    assert [step.name for step in look({"b.py": first, "a.py": second}).steps] == ["b", "a"]
    read = read_script("a.py", second)
    assert read is not None and (read.reads, read.writes) == (("d/a.csv",), ("m.pkl",))


def test_names_and_numbers_order_what_paths_do_not():
    named = look({"train.py": FIT, "clean_data.py": "go()\n", "build_features.py": "go()\n"})
    assert [step.name for step in named.steps] == ["clean_data", "build_features", "train"]
    numbered = look(
        {"03_model.py": FIT, "01_load.py": "go()\n", "02_split.py": "go()\n", "04_prepare_report.py": "g()\n"}
    )
    assert [step.name for step in numbered.steps] == ["load", "split", "model"]


def test_a_script_that_prepares_something_else_is_left():
    choice = look({"prepare.py": "t.to_csv('other.csv')\n", "train.py": "t = read_csv('a.csv')\n" + FIT})
    assert commands(choice) == {"train": "python train.py"}
    assert choice.left == (("prepare.py", "writes nothing that the others are seen to read"),)


def test_two_that_train_in_a_row_are_both_stages():
    first = "encoder.fit(x)\nencoder.save('encoder.bin')\n"
    choice = look({"embed.py": first, "classify.py": "e = load('encoder.bin')\n" + FIT})
    assert [step.name for step in choice.steps] == ["embed", "classify"] and choice.rivals == ()


def test_evaluation_plots_and_servers_are_left_and_named():
    choice = look(
        {
            "train.py": FIT,
            "evaluate.py": "m = joblib.load('model.joblib')\nprint(m.score(x, y))\n",
            "plot_results.py": "plt.show()\n",
            "app.py": "from flask import Flask\napp = Flask('a')\napp.run()\n",
        }
    )
    assert commands(choice) == {"train": "python train.py"}
    assert dict(choice.left) == {
        "app.py": "serves or shows something",
        "evaluate.py": "evaluates or looks at results",
        "plot_results.py": "evaluates or looks at results",
    }


def test_tests_and_set_up_are_not_even_named():
    choice = look({"train.py": FIT, "tests/test_a.py": FIT, "setup.py": "setup()\n", "conftest.py": "x()\n"})
    assert len(choice.steps) == 1 and choice.left == ()


def test_a_script_that_others_import_is_their_part():
    choice = look({"main.py": "from train import fit\nfit()\n", "train.py": FIT})
    assert commands(choice) == {"main": "python main.py"}
    assert choice.left == (("train.py", "is imported by others"),)


def test_data_that_is_there_is_not_fetched_again():
    texts = {"download.py": "write('raw.csv').to_csv('raw.csv')\n", "train.py": "t = read_csv('raw.csv')\n" + FIT}
    assert [step.name for step in look(texts).steps] == ["download", "train"]
    assert [step.name for step in look(texts, there=("raw.csv",)).steps] == ["train"]


def test_packages_are_started_as_modules():
    inside = "from churn.model import build\nbuild().fit(x)\n"
    model = "def build():\n    return 1\n"
    flat = {"churn/__init__.py": "", "churn/train.py": inside, "churn/model.py": model}
    assert commands(look(flat)) == {"train": "python -m churn.train"}
    main = {"churn/__init__.py": "", "churn/__main__.py": "from .model import build\nbuild().fit(x)\n"}
    assert commands(look({**main, "churn/model.py": model})) == {"churn": "python -m churn"}
    src = {f"src/{path}": text for path, text in flat.items()}
    assert commands(look(src)) == {"train": "sh -c 'PYTHONPATH=src:$PYTHONPATH python -m churn.train'"}
    scripts = {"scripts/train.py": inside, "churn/__init__.py": "", "churn/model.py": model}
    assert commands(look(scripts)) == {"train": "python -m scripts.train"}
    beside = {"code/train.py": "import model\nmodel.build().fit(x)\n", "code/model.py": model}
    assert commands(look(beside)) == {"train": "python code/train.py"}


def test_training_in_an_imported_module_counts():
    texts = {"main.py": "from lib import go\ngo()\n", "lib.py": "def go():\n    m.fit(x)\n", "other.py": "print(1)\n"}
    assert commands(look(texts)) == {"main": "python main.py"}


def test_notebooks_are_read_without_what_only_ipython_knows():
    text = notebook("%matplotlib inline\nimport joblib", "!pip install x", "%%bash\nls", FIT, "not python at all")
    assert commands(look({"my model.ipynb": text})) == {"my-model": "'my model.ipynb'"}
    assert read_script("a.ipynb", notebook(FIT, language="R")) is None
    assert read_script("a.ipynb", "{") is None and read_script("a.py", "def (") is None


def test_a_script_is_likelier_than_the_notebook_beside_it():
    choice = look({"train.ipynb": notebook(FIT), "train.py": FIT})
    assert choice.rivals == ("train.py", "train.ipynb") and not choice.tied
    assert commands(choice) == {"train": "python train.py"}


def test_two_that_nothing_tells_apart_are_tied_and_a_choice_settles_it():
    texts = {"train_a.py": FIT, "train_b.py": FIT}
    choice = look(texts)
    assert choice.rivals == ("train_a.py", "train_b.py") and choice.tied
    assert commands(look(texts, heart="train_b.py")) == {"train_b": "python train_b.py"}


def test_options_that_must_be_given_are_named():
    text = "p.add_argument('--data', required=True)\np.add_argument('out')\np.add_argument('--rate', default=1)\n" + FIT
    assert look({"train.py": text}).steps[0].needs == ("--data", "out")


def test_stages_of_one_name_are_told_apart():
    texts = {"a/train.py": "t.fit(1)\nt.to_csv('x.csv')\n", "b/train.py": "read_csv('x.csv')\n" + FIT}
    assert list(commands(look(texts))) == ["train", "train-2"]


def test_a_script_whose_paths_are_meant_from_its_own_folder_is_started_there():
    up = {"ml/train.py": "t = read_csv('../data/a.csv')\n" + FIT}
    assert commands(look(up)) == {"train": "sh -c 'cd ml && python train.py'"}
    beside = {"ml/train.py": "t = read_csv('a.csv')\n" + FIT}
    assert commands(look(beside, there=("ml/a.csv",))) == {"train": "sh -c 'cd ml && python train.py'"}
    assert commands(look(beside, there=("ml/a.csv", "a.csv"))) == {"train": "python ml/train.py"}

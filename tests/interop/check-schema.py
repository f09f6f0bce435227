"""The JSON Schema of pipelines and `segue check` agree: on valid files, and on files with one mutation each.

Everything that the schema refuses, `segue check` refuses; files that `segue check` refuses for their form, the
schema refuses. Rules that a schema can't express are listed below, by the message of `segue check`.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import jsonschema

from support import BUILD, SOURCE, folder

# Rules that depend on other values, on the order of stages, or on the environment.
BEYOND = [
    r"from: ",                            # existing stages, and their outputs
    r"needs \S+, and no earlier stage produces it",
    r"its input '.*' comes from '.*', which bypasses",
    r"two stages have the id",
    r"unknown variable ",                 # values of variables
    r"variable '.*' (has no value|is not text)",
    r"low not above high",                # comparisons of two numbers
    r"is outside the folder of the pipeline",
    r"no later stage uses its output, which is recomputed",
    r"its output is stored, but stage",
]
# Rules between the parameters of a stage, and formats between stages: each with a stage's own message.
RULES = [
    r"min_duration .* must not be above max_duration",
    r"label ‘.*’ is not a field of layout",
    r"layout ‘’ is empty",
    r"by must name what stays together",
    r"model type '.*' is an encoder, not a classifier",
    r"model type '.*' is a classifier, not an encoder",
    r"model type '.*' takes (vectors|audio), and its input is",
    r"'musicnn' needs its weights",
    r"has no effect: '.*' is computed in one step",
    r"'.*' has the layers 0\.\.",
    r"keeps the frames of an encoder, which can't be joined",
    r"folds must be 0 or at least 2",
    r"must be as long as conv_dim",
    r"must divide hidden_size",
    r"its input '.*' takes .*, and stage '.*' gives",
    r"items differ in length, and models take one",
    r"segments of .* are too short for",
    r"mel band .* is narrower than the bins",
    r"blocks halve .* bands to nothing",
    r"low must be below .* Hz, where the highest mel band ends",
    r"high must be at most .* Hz, half of the audio's sample rate",
]


def segue_check(path, *options):
    environment = dict(os.environ, SEGUE_PLUGIN_PATH=str(BUILD / "plugins"))
    result = subprocess.run([BUILD / "pipeline/cli/segue", "check", path, *options], cwd=path.parent,
                            env=environment, capture_output=True, text=True, check=False)
    if result.returncode not in (0, 78):
        raise SystemExit(f"segue check {path}: {result.returncode}\n{result.stderr}")
    # Each error begins with its position: a line of the file, or the argument of --set.
    return re.findall(r"^(?:segue: )?\S.*: .*", result.stderr, re.M) or ["?"] if result.returncode else []


# ---- Values for a row of a parameter table ----

WRONG_TYPES = [True, "text", "", 0.5, 3, None, [], {}, [1, 2, 3], {"a": 1}, "12", "true", [None], {"use": 3}]


def good_values(row, full=False):
    """Values that the row accepts."""
    kind = row["type"]
    if kind == "bool":
        return [True, False]
    if kind in ("int", "double"):
        low, high = row.get("min"), row.get("max")
        found = [value for value in (low, high) if value is not None] or [1, -1, 0]
        return found + ([row["default"]] if row.get("default") is not None else [])
    if kind == "range":
        return [[value, value] for value in good_values(dict(row, type="double", default=None))] + \
            good_values(dict(row, type="double", default=None))
    if kind == "choice":
        return list(row["choices"])
    if kind == "list":
        element = good_values(row["element"])
        fewest, most = row.get("min_items", 0), row.get("max_items")
        found = [[element[0]] * max(fewest, 1), element[:most] if len(element) >= fewest else []]
        return [value for value in found if len(value) >= fewest] + ([[]] if fewest == 0 else [])
    if kind == "record":
        return [good_map(row["params"]), {}] if not required(row["params"]) else [good_map(row["params"])]
    if kind == "variant":
        found = [case["name"] for case in row["cases"] if not required(case["params"])]
        return found + [dict(good_map(case["params"]), **{row["tag"]: case["name"]}) for case in row["cases"]]
    if kind == "model":
        return [model["name"] for model in TABLES["models"] if not required(model["params"])] + \
            [dict(good_map(model["params"]), use=model["name"]) for model in TABLES["models"]]
    return ["text", "{artist}", "12", 1984, True]


def required(rows):
    return [row for row in rows if row["required"]]


def good_map(rows):
    return {row["name"]: good_values(row)[-1] for row in rows if row["required"]}


def bad_values(row):
    """Values close to those that the row accepts; some are valid nevertheless."""
    kind = row["type"]
    found = list(WRONG_TYPES)
    low, high = row.get("min"), row.get("max")
    if kind in ("int", "double", "range"):
        for bound, step in ((low, -1), (high, 1)):
            if bound is not None:
                found += [bound + step, bound + step * 1e-3, bound, str(bound), f"{bound} s"]
        found += [2 ** 63, 2 ** 64, -2 ** 63, -2 ** 63 + 1, 1e30, -1e30, 1.0, 2.0, 1e300]
    if kind == "range":
        found += [[0.5], [0.1, 0.2, 0.3], [0.2, 0.1], [low, high], ["a", 1], [None, 1], [[0, 1], 1]]
        found += [[(low or 0) - 1, high], [low, (high or 0) + 1]]
    if kind == "choice":
        found += [row["choices"][0] + "x", row["choices"][0].upper(), [row["choices"][0]]]
    if kind == "list":
        element = good_values(row["element"])[0]
        found += [element, [element] * (row["max_items"] + 1) if row.get("max_items", 9999) < 300 else []]
        found += [[element, None], [[element]]] + [[value] for value in bad_values(row["element"])]
    if kind == "record":
        found += maps(row["params"], {})
    if kind == "variant":
        found += [row["cases"][0]["name"] + "x", {row["tag"]: "nothing"}, {"tag": row["cases"][0]["name"]}]
        for case in row["cases"]:
            found += maps(case["params"], {row["tag"]: case["name"]})
    if kind == "model":
        found += ["nothing", {"use": "nothing"}, {"uze": "mel-cnn"}]
        for model in TABLES["models"]:
            found += maps(model["params"], {"use": model["name"]})
    return found


def maps(rows, own):
    """Maps of the rows with one value each that may be wrong."""
    whole = dict(good_map(rows), **own)
    found = [dict(whole, unknown=1), dict(whole, **{"": 1})]
    for row in rows:
        found += [dict(whole, **{row["name"]: value}) for value in good_values(row) + bad_values(row)]
        found += [dict(whole, **{row["name"] + "x": 1})]
        if row["required"]:
            found.append({key: value for key, value in whole.items() if key != row["name"]})
    return found


# ---- Pipelines ----

def base(*stages):
    return {"segue": 1, "name": "x", "stages": list(stages)}


def chain_with(name, stage):
    """A pipeline that meets the requirements of a stage of this type."""
    order = ["scan", "decode", "trim", "segment", "split", "augment", "train", "evaluate", "report", "export"]
    stages = {use: {"use": use} for use in order}
    stages["scan"]["with"] = {"root": "."}
    if name.startswith("decode"):
        stages["decode"] = stage
    else:
        stages[name] = stage
    if name == "scan" and isinstance(stage.get("with"), dict):
        stage["with"].setdefault("root", ".") if "root" not in stage.pop("without", []) else None
    stage.pop("without", None)
    return base(*stages.values())


def of_stage(kind):
    """Every pipeline of one stage type: its parameters, then the settings of any stage."""
    needs = good_map(kind["params"])
    for row in kind["params"]:
        for value in good_values(row) + bad_values(row):
            yield chain_with(kind["name"], {"use": kind["name"], "with": dict(needs, **{row["name"]: value})})
        misspelt = dict(needs, **{row["name"] + "s": 1})
        yield chain_with(kind["name"], {"use": kind["name"], "with": misspelt})
    for with_ in (None, {}, [], "text", 3, True, {"a": None}):
        yield chain_with(kind["name"], {"use": kind["name"], "with": with_})
    yield chain_with(kind["name"], {"use": kind["name"]})
    for key, values in {
        "id": ["mine", "", "Mine", "a b", "1a", 3, True, None, [], {}, "a" * 64, "a" * 65, "${id}", "no"],
        "cache": [True, False, "true", 1, None, []],
        "isolate": [True, False, "true", 1, None, []],
        "time_limit": [0.05, 0.1, 300, 86400, 86401, "10", None, True, []],
        "seed": [0, 1, -1, 2 ** 63 - 1, 2 ** 63, 1.5, "1", None, True],
        "from": [None, 3, True, [], "scan", "nothing", {}, {"audio": None}, {"audio": 3}, {"audio": []}, ["scan"]],
        "extra": [1], "With": [{}], "": [1],
    }.items():
        for value in values:
            yield chain_with(kind["name"], {"use": kind["name"], "with": needs, key: value})


def of_root():
    whole = chain_with("scan", {"use": "scan", "with": {"root": "."}})
    yield whole
    for key, values in {
        "segue": [0, 1, 2, "1", 1.0, 1.5, True, None, [], {}],
        "name": ["x", "", "X", "a b", "1", 1, True, False, None, [], {}, "a" * 64, "a" * 65, "x-1", "x_1", "-x"],
        "seed": [0, -1, 2 ** 63 - 1, 2 ** 63, 2 ** 64, 1.5, 3.0, "3", None, True, []],
        "on_error": ["skip", "fail", "stop", "", 1, True, None, []],
        "max_failures": [0, -1, 4294967294, 4294967295, 1.5, "3", None, True],
        "vars": [None, {}, [], 3, "text", {"music": 3}, {"Music": 3}, {"1": 3}, {"a b": 3}, {"seed": 3}, {"a": None},
                 {"a": [1, {"b": 2}]}, {"a": {"b": 2}}, {"a" * 64: 1}, {"a" * 65: 1}, {"a_b-c": 1}],
        "stages": [None, [], {}, "text", 3, [None], [3], ["scan"], [[]], [{}], [{"id": "x"}], [{"use": None}],
                   [{"use": 3}], [{"use": ["scan"]}], [{"use": "scam"}], [{"use": ""}],
                   whole["stages"] + [{"use": "decode", "id": f"d{n}"} for n in range(247)]],
        "steps": [[]], "Name": ["x"], "": [1],
    }.items():
        for value in values:
            yield dict(whole, **{key: value})
    for key in whole:
        yield {other: value for other, value in whole.items() if other != key}
    for other in ([], "text", 3, None, {}):
        yield other


def of_variables(kind):
    """A value from a variable: the schema can't check it, and must accept it."""
    for row in kind["params"]:
        value = good_values(row)[0]
        pipeline = chain_with(kind["name"], {"use": kind["name"], "with": dict(
            good_map(kind["params"]), **{row["name"]: "${value}"})})
        yield dict(pipeline, vars={"value": value})


def pipelines():
    yield from of_root()
    for kind in TABLES["stages"]:
        if kind["name"] in ("decode-libav", "decode-sndfile"):
            continue  # the table of decode
        yield from of_stage(kind)
        yield from of_variables(kind)


# ---- Verdicts ----

def differs(path, pipeline):
    """The messages about a pipeline where the two differ; None: they agree."""
    path.write_text(json.dumps(pipeline))
    said = segue_check(path)
    refused = next(VALIDATOR.iter_errors(pipeline), None)
    form = [line for line in said if not any(re.search(one, line) for one in BEYOND + RULES)]
    if refused and not said:
        return f"the schema alone refuses: {refused.message[:200]} at {list(refused.absolute_path)}"
    if form and not refused:
        return f"segue check alone refuses: {form[0]}"
    return None


def main():
    values = set()
    found = []
    with folder() as work, ThreadPoolExecutor(os.cpu_count()) as pool:
        def one(job):
            n, pipeline = job
            return pipeline, differs(work / f"{n}.yaml", pipeline)

        unique = []
        for pipeline in pipelines():
            text = json.dumps(pipeline, sort_keys=True)
            if text not in values:
                values.add(text)
                unique.append(pipeline)
        for pipeline, difference in pool.map(one, enumerate(unique[::EVERY])):
            if difference:
                found.append(f"{difference}\n      {shown(pipeline)}")
    print(f"  {len(unique[::EVERY])} of {len(unique)} pipelines, {len(found)} differ")
    for text in found:
        print(f"  {text}")
    sys.exit(bool(found))


def shown(pipeline):
    """The part of a pipeline that differs from the common one."""
    text = json.dumps(pipeline)
    for use in ("decode", "trim", "segment", "split", "augment", "train", "evaluate", "report", "export"):
        text = text.replace(f', {{"use": "{use}"}}', "")
    return text[:300]


# All of them take five minutes: SEGUE_EVERY=1.
EVERY = int(os.environ.get("SEGUE_EVERY", "10"))
SCHEMA = json.loads((SOURCE / "schemas/pipeline.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
TABLES = json.loads(subprocess.run(
    [BUILD / "pipeline/cli/segue", "inspect", "--json"], check=True, capture_output=True, text=True,
    env=dict(os.environ, SEGUE_PLUGIN_PATH=str(BUILD / "plugins"))).stdout)
main()

"""Which words of the lower layers a page can show, as far as their syntax does not say it."""

from __future__ import annotations

#: What pages never show: the command line and recording while training.
ELSEWHERE = ("cli", "record")
#: Layers that translate their own words, except those of errors.
TRANSLATED = ("tracin_viz/report/", "tracin_viz/ui/")
#: What only callers in Python meet: arguments of the engine, and columns that the documentation explains.
PYTHON_ONLY = {
    *(f"tracin_viz/engine/{name}.py" for name in ("arguments", "base", "columns", "coverage", "directions")),
    *(f"tracin_viz/engine/{name}.py" for name in ("estimates", "groups", "optimizers", "parameter_order")),
    *(
        f"tracin_viz/engine/{name}.py"
        for name in ("products", "scan", "scores", "search", "sketched", "tokens")
    ),
    *(f"tracin_viz/explore/{name}.py" for name in ("facets", "neighbors", "noise", "rarity", "reasons")),
    *("tracin_viz/explore/suspects.py", "tracin_viz/relabel/exports/schema.py"),
    *("tracin_viz/demo/home_intents.py", "tracin_viz/demo/sentence_templates.py"),
}
#: Files whose every phrase is shown: stages, formats, and where learning rates come from.
PHRASES = {
    *(f"tracin_viz/data/formats/{name}.py" for name in ("delimited", "detection", "json_lines", "parquet")),
    *(f"tracin_viz/data/formats/{name}.py" for name in ("saved", "tables")),
    *(f"tracin_viz/demo/{name}.py" for name in ("commands", "digits", "training")),
    *(
        f"tracin_viz/jobs/{name}.py"
        for name in ("estimating", "fitness", "pilot", "retraining", "self_testing")
    ),
    *("tracin_viz/jobs/units.py", "tracin_viz/audit/validation.py"),
    *(f"tracin_viz/models/{name}.py" for name in ("choices", "families", "inspection", "learning_rates")),
    *(f"tracin_viz/models/{name}.py" for name in ("opening", "other_preprocessing", "rate_evidence", "run")),
    *(f"tracin_viz/models/{name}.py" for name in ("rates_used", "saved", "schedules")),
    *(f"tracin_viz/models/formats/{name}.py" for name in ("design", "dictionaries", "weights")),
}
#: Words that are made in a way that is not followed, with the file that says them.
MORE = {
    "data": "tracin_viz/audit/validation.py",
    "model": "tracin_viz/audit/validation.py",
    "right": "tracin_viz/jobs/fitness.py",
    "{first:part} as well as {second:part}": "tracin_viz/models/rates_used.py",
    "{provenance:part}; set by hand": "tracin_viz/store/checkpoint_choice.py",
}
MORE |= dict.fromkeys(
    (
        "its annotations are no list",
        "an annotation is no object with a list of results",
        "an annotation says neither a label nor a decision",
        "an annotation gives {n} classes, where a label is one",
    ),
    "tracin_viz/relabel/exports/label_studio_reading.py",
)
MORE |= dict.fromkeys(
    (
        "mean 0 and std 1",
        "mean 0.5 and std 0.5",
        "the mean and std of ImageNet",
        "values from 0 to 255",
        "red and blue exchanged",
    ),
    "tracin_viz/models/other_preprocessing.py",
)
#: What operating systems say most often.
MORE |= dict.fromkeys(
    (
        "No such file or directory",
        "Permission denied",
        "No space left on device",
        "Is a directory",
        "Not a directory",
        "Read-only file system",
        "Input/output error",
    ),
    "tracin_viz/data/files.py",
)
#: Arguments and values with these names are words, wherever they are passed on.
WORDS = {"why", "what", "meant", "reason", "said", "stage", "finished", "provenance"}
#: Arguments that are whole sentences.
SENTENCES = {"message", "remedy"}
#: Calls whose first argument is a kind of problem, or a stage.
KINDS = {"Problem", "add", "add_many", "update", "report", "on_progress", "note"}
#: Single words that name fields, formats or questions, the same in every language.
FIELDS = {
    *("action", "all", "annotator", "basis", "batch", "bias", "bzip", "embedding", "estimate", "exclude"),
    *(
        "fit",
        "gzip",
        "influence",
        "label",
        "map",
        "note",
        "open",
        "parts",
        "review",
        "row",
        "session",
        "size",
    ),
    *("stable", "tabular", "tar", "task", "uuid", "warm", "weight", "words", "zip"),
}
#: Phrases that are names as well.
NAMES = {
    "CSV",
    "TSV",
    "Windows-1252",
    "[CLS] $A [SEP]",
    "JSON Lines",
    "Hugging Face Trainer",
    "column {place}",
}
#: Calls whose words no user meets: logs, threads, and errors of programmers.
UNSEEN = {
    "ValueError",
    "TypeError",
    "TimeoutError",
    "RuntimeError",
    "OSError",
    "EOFError",
    "Thread",
    "compile",
}
#: Calls that give data: names, numbers, lists of names.
DATA = {"shown", "len", "int", "float", "join", "min", "max", "sum", "str", "repr", "type", "readable"}

"""Parse a command, run it, and say in one line what went wrong.

Exit status: 0 done, 1 the request failed (the message names what, where and what to do), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence

from tracin_viz import __version__
from tracin_viz.cli import commands, create, evidence, labels, report
from tracin_viz.cli.demo import demo
from tracin_viz.config import SKETCHES
from tracin_viz.errors import CancelledError, TracinVizError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    try:
        options.run(options)
    except CancelledError as error:
        return _failed(options, error, "cancelled")
    except TracinVizError as error:
        return _failed(options, error, "error")
    except KeyboardInterrupt:
        print(
            "interrupted; what was finished stays, and the same command goes on from there", file=sys.stderr
        )
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="tracin-viz",
        description="Why a model predicts what it predicts, in terms of its training data.",
    )
    top.add_argument("--version", action="version", version=__version__)
    subs = top.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, summary: str, run: object, *, results: bool = True) -> argparse.ArgumentParser:
        sub = subs.add_parser(name, help=summary, description=summary)
        sub.add_argument("--home", metavar="DIR", help="workspace (default $TRACIN_VIZ_HOME or ./workspace)")
        if results:
            sub.add_argument("--json", action="store_true", help="one JSON document on standard output")
        sub.set_defaults(run=run, json=False)
        return sub

    sub = command("demo", "train, create and compute a demo audit", demo)
    sub.add_argument("kind", nargs="?", default="digits", choices=("digits", "commands"))
    sub.add_argument(
        "--if-missing", action="store_true", help="do nothing when the audit is finished already"
    )
    sub.add_argument("--job", help=argparse.SUPPRESS)

    sub = command(
        "check", "say what data and model are and whether they fit; registers nothing", create.check
    )
    _source_options(sub)
    sub.add_argument("--report", metavar="FILE", help="write the report: .html, .csv or .json")

    sub = command("create", "validate data and model and register an audit", create.create)
    sub.add_argument("name")
    _source_options(sub)

    sub = command("compute", "compute influence; goes on where an earlier run stopped", commands.compute)
    sub.add_argument("name")
    sub.add_argument("--checkpoints", default="all", metavar="all|steep:5|1,3,5")
    sub.add_argument("--layers", default="all", metavar="all|last|REGEX")
    sub.add_argument("--sketch-dim", type=int, default=2048)
    sub.add_argument(
        "--sketch",
        choices=SKETCHES,
        help="sketch maps: pca = fitted to 72 training examples first, closer; random = nothing to fit "
        "(default: as the last run, else pca)",
    )
    sub.add_argument("--device", default="auto", metavar="auto|cpu|cuda|cuda:1|mps")
    sub.add_argument(
        "--workers", type=int, metavar="N", help="processes that compute (default: what pays off)"
    )
    sub.add_argument("--batch-size", type=int)
    sub.add_argument("--detach", action="store_true", help="return at once; the run goes on by itself")
    sub.add_argument("--job", help=argparse.SUPPRESS)

    sub = command("status", "how the newest run of an audit is doing", commands.status)
    sub.add_argument("name")
    sub = command("cancel", "stop the running computation of an audit; finished units stay", commands.cancel)
    sub.add_argument("name")

    sub = command("influence", "which training examples pushed a prediction", commands.influence)
    sub.add_argument("name")
    query = sub.add_mutually_exclusive_group(required=True)
    query.add_argument("--query", metavar="test:17", help="an example of the audit")
    query.add_argument("--text", help="a sentence")
    query.add_argument("--image", metavar="FILE", help="an image file")
    query.add_argument(
        "--group",
        metavar="cell:3:5|sel:ID",
        help="examples labelled 3 and predicted 5, or a kept selection of training examples; their mean",
    )
    sub.add_argument("--label", help="explain the loss at this class")
    sub.add_argument("--score", metavar="CLASS", help="explain the prediction score of this class")
    sub.add_argument("--top", type=int, default=10)
    sub.add_argument("--ranking", default="dot", choices=("dot", "cosine", "relatif"))
    sub.add_argument(
        "--same-class", action="store_true", help="only training examples of the class that is explained"
    )
    sub.add_argument("--estimate", action="store_true", help="scores from gradient sketches: quicker")

    sub = command("opposing", "training examples that oppose many query examples", commands.opposing)
    sub.add_argument("name")
    sub.add_argument("--among", default="wrong", choices=("wrong", "all"), help="which query examples")
    sub.add_argument("--each", type=int, default=10, metavar="N", help="top opponents counted per query")
    sub.add_argument("--top", type=int, default=20)
    sub.add_argument("--ranking", default="dot", choices=("dot", "cosine", "relatif"))

    sub = command("suspects", "training examples that look mislabelled or rare", commands.suspects)
    sub.add_argument("name")
    sub.add_argument(
        "--ranking", default="self-influence", choices=("self-influence", "aum", "loss", "gradient-norm")
    )
    sub.add_argument("--class", dest="class_name", metavar="C", help="only examples with this given label")
    sub.add_argument("--top", type=int, default=100)

    sub = command("clusters", "groups of training examples that the model treats alike", commands.clusters)
    sub.add_argument("name")
    sub.add_argument("--within-class", metavar="C")
    sub.add_argument(
        "--smallest", type=int, metavar="N", help="smallest cluster; by default as the run found them"
    )

    sub = command("report", "write the report: one HTML file that needs nothing else", report.report)
    sub.add_argument("name")
    sub.add_argument("--output", required=True, metavar="FILE")
    sub.add_argument("--language", default="en", choices=("en", "zh"))
    sub.add_argument("--findings", type=int, default=24, metavar="N", help="suspects that are shown")
    sub.add_argument("--large-pictures", action="store_true")
    sub.add_argument("--without-names", action="store_true", help="number the annotators instead")
    sub.add_argument("--query", default="", metavar="test:17", help="the prediction that is explained")

    sub = command("export", "write given and decided labels", labels.export)
    labels.export_options(sub)
    sub = command("import", "take over the decisions in a file that an export wrote", labels.import_labels)
    labels.import_options(sub)
    evidence.add_commands(command)
    return top


def _source_options(sub: argparse.ArgumentParser) -> None:
    """What an audit is made of, for the commands that look at it before it is one."""
    sub.add_argument("--data", required=True, metavar="PATH", help="image folder, archive of one, or table")
    sub.add_argument("--model", required=True, metavar="PATH", help="what a training left behind")
    sub.add_argument("--checkpoints", metavar="GLOB", help="which of them are checkpoints (checkpoint-*)")
    sub.add_argument("--task", choices=("image", "text", "tabular"))
    sub.add_argument(
        "--mapping",
        metavar="FILE|K=V",
        action="append",
        help="how files become examples: a JSON file, or content=, label=, split=, query_fraction=, …",
    )
    sub.add_argument(
        "--learning-rates", metavar="0.1,0.1,…", help="one per checkpoint, when the files lack them"
    )
    sub.add_argument("--architecture", metavar="PATH", help="config.json, or a file with build_model()")
    sub.add_argument(
        "--options",
        metavar="FILE|K=V",
        action="append",
        help="choices about the model: a JSON file, or prefix=, ema=true, size=, mean=, std=, channels=",
    )
    sub.add_argument(
        "--trust-code", action="store_true", help="allow formats that run the user's Python code"
    )


def _failed(options: argparse.Namespace, error: TracinVizError, word: str) -> int:
    if options.json:
        problems = [problem.as_dict() for problem in error.problems]
        document = {word: error.message, "remedy": error.remedy, "problems": problems}
        print(json.dumps(document, ensure_ascii=False))
    # One line, whatever the message quotes: scripts read the last line of standard error.
    print(f"{word}: {' '.join(str(error).split())}", file=sys.stderr)
    return 1

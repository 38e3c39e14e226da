"""Strings that a data set may hold and that must reach the reader as letters."""

from __future__ import annotations

HOSTILE = [
    "<img src=x onerror=\"window.hit='img'\">",
    "<script>window.hit='script'</script>",
    "[click](https://evil.example)",
    "![picture](https://evil.example/a.png)",
    "**bold** _it_ `code` ~~gone~~",
    "# Heading",
    "1. one",
    "- item",
    "> quote",
    ":red[red] :smile: :material/home:",
    "https://evil.example/x www.evil.example me@evil.example",
    "$x^2$ \\(y\\)",
    "a -> b <- c -- d >= e != f",
    "&lt;b&gt; &amp; &#60;",
    "| a | b |\n|---|---|",
    "***",
    "[[x]] [^1] ::: :blue-background[x]",
    "C:\\temp\\new *.png",
    "zero one two",
]

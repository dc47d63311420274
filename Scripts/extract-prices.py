#!/usr/bin/env python3
"""Reads the catalog of models and their prices out of Claude Code's binary and writes Ops/prices.json.

Usage: extract-prices.py .deps/bin/claude > Ops/prices.json

Run it when Claude Code moves to another version, and read the difference: prices are what bills and budgets rest on.
"""
import json
import re
import sys

KINDS = ["input", "output", "cache_read", "cache_write_5m", "cache_write_1h"]


def balanced(text, start):
    """The object literal that begins at `start`."""
    depth, quote, at = 0, None, start
    while at < len(text):
        character = text[at]
        if quote:
            if character == "\\":
                at += 1
            elif character == quote:
                quote = None
        elif character in "\"'`":
            quote = character
        elif character in "{[":
            depth += 1
        elif character in "}]":
            depth -= 1
            if depth == 0:
                return text[start : at + 1]
        at += 1
    raise SystemExit("the catalog does not end")


def number(literal):
    return float(literal) if "e" in literal or "." in literal else int(literal)


def fields(literal):
    return {name: number(value) for name, value in re.findall(r"(\w+):(\d*\.?\d+(?:e\d+)?)", literal)}


def tier(literal):
    long_prompt = re.search(r"long_prompt:(\{[^}]*\})", literal)
    plain = fields(literal.replace(long_prompt.group(0), "") if long_prompt else literal)
    price = {kind: plain[kind] for kind in KINDS}
    price["web_search"] = plain["web_search"]
    if long_prompt:
        above = fields(long_prompt.group(1))
        price["long_prompt"] = {"above_tokens": int(above["above_prompt_tokens"])} | {kind: above[kind] for kind in KINDS}
    return price


def main(path):
    with open(path, "rb") as binary:
        data = binary.read()
    found = re.search(rb"schema_version:1,pricing_tiers:\{", data)
    if not found:
        raise SystemExit(f"{path} has no catalog of models that this script knows")
    text = data[found.start() : found.start() + 400_000].decode("latin-1")
    tiers_text = balanced(text, text.index("{"))
    tiers = {}
    for name in re.finditer(r"(\w+):(?=\{input)", tiers_text):
        tiers[name.group(1)] = tier(balanced(tiers_text, name.end()))
    models_at = text.index("models:[", len(tiers_text)) + len("models:")
    models_text = balanced(text, models_at)
    models = {}
    for entry in re.finditer(r'\{id:"', models_text):
        model = balanced(models_text, entry.start())
        identity = re.match(r'\{id:"([^"]+)"', model).group(1)
        pricing = re.search(r'pricing:(?:"(\w+)"|(\{))', model)
        if not pricing:
            print(f"{identity} has no price", file=sys.stderr)
            continue
        price = tiers[pricing.group(1)] if pricing.group(1) else tier(balanced(model, pricing.end() - 1))
        providers = re.search(r"provider_ids:\{([^}]*)\}", model)
        others = set(re.findall(r'"([^"]+)"', providers.group(1))) if providers else set()
        models[identity] = price | {"also": sorted(others - {identity})}
    # The offline model, priced so that budgets can be tried with it.
    models["claude-scripted-1"] = tiers["tier_3_15"] | {"also": []}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(price)}" for name, price in models.items())
    print(f'{{\n "unit": "USD per million tokens; web_search per request",\n "models": {{\n{lines}\n }}\n}}')


if __name__ == "__main__":
    main(sys.argv[1])

"""Validates YAML files against a JSON Schema (2020-12): validate.py SCHEMA FILE…

An implementation that is not ours, of YAML and of the schema, as an editor would use. A line for each file that is not
valid; the exit status says whether there was one.
"""
import json
import sys

import jsonschema
import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
bad = False
for name in sys.argv[2:]:
    with open(name, encoding="utf-8") as file:
        for error in validator.iter_errors(yaml.safe_load(file)):
            print(f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message[:200]}")
            bad = True
sys.exit(bad)

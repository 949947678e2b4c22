# make demo   a dozen photographs become 16 bytes each; writes demo-report.html
# make test   everything the tests know
# make check  style, types, layers
# make docs   run the examples of the docs and write down what they print; fill in the measured tables

.PHONY: demo test check docs clean

demo:
	@.ci/venv demo
	@.venv/bin/sememe demo

test:
	@.ci/venv "$$(cat .ci/extras)"
	@.venv/bin/python -m pytest

check:
	@.ci/venv "$$(cat .ci/extras)"
	.venv/bin/ruff check .
	.venv/bin/ruff format --check src tests bench recipes
	.venv/bin/mypy
	.venv/bin/lint-imports

docs:
	@.ci/venv "$$(cat .ci/extras)"
	GENERATE_DOCS=1 .venv/bin/python -m pytest -q tests/test_docs.py
	.venv/bin/python bench/table.py README.md docs/*.md docs/cards/*.md

clean:
	rm -rf .venv demo-photos demo.sems* demo-report.html

# make demo   a dozen photographs become 16 bytes each; writes demo-report.html
# make test   everything the tests know
# make check  style, types, layers

.PHONY: demo test check clean

demo:
	@.ci/venv demo
	@.venv/bin/sememe demo

test:
	@.ci/venv test,demo,parquet
	@.venv/bin/python -m pytest

check:
	@.ci/venv test,demo,parquet
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

clean:
	rm -rf .venv demo-photos demo.sems* demo-report.html

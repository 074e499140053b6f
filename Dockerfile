# SPDX-License-Identifier: Apache-2.0
# One image; the command says which process it is: web, ingest, sealer, migrate, init ...
FROM docker.io/library/python:3.12-slim

# A user with a passwd entry, and no more rights than it needs.
RUN useradd --system --uid 10001 --home-dir /var/lib/city-notary --create-home notary

WORKDIR /opt/city-notary
COPY requirements/build.txt requirements/run.txt requirements/evm.txt requirements/merkletools.txt requirements/
RUN python -m venv .venv \
 && .venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements/build.txt \
 && .venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements/run.txt \
 && .venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements/evm.txt \
 && .venv/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation --use-pep517 --require-hashes -r requirements/merkletools.txt
COPY LICENSE README.md pyproject.toml setup.cfg ./
COPY notary notary
COPY iot_ingest iot_ingest
COPY iot_simulator iot_simulator
COPY schemas schemas
RUN .venv/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation .

ENV PATH=/opt/city-notary/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NOTARY_STATE=/var/lib/city-notary/state \
    NOTARY_LEDGER_DIR=/var/lib/city-notary/ledger
WORKDIR /var/lib/city-notary
USER notary
EXPOSE 8460
ENTRYPOINT ["notary"]
CMD ["web"]

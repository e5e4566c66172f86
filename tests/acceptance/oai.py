#!/usr/bin/env python3
"""Harvests a running server with clients that nobody here wrote: sickle and pyoai.

    python3 -m venv VENV && VENV/bin/pip install sickle pyoai "lxml<5"
    VENV/bin/python tests/acceptance/oai.py http://127.0.0.1:8080/oai [SCHEMAS]

SCHEMAS is a folder with OAI-PMH.xsd and lom/lom.xsd (with what that includes); with it all
answers are validated too. Says what was harvested, and how much memory a local server took.
"""

import pathlib
import subprocess
import sys
import time

import requests
from lxml import etree
from oaipmh.client import Client
from oaipmh.error import BadArgumentError, IdDoesNotExistError, NoRecordsMatchError
from oaipmh.metadata import MetadataRegistry, oai_dc_reader
from sickle import Sickle

OAI = "{http://www.openarchives.org/OAI/2.0/}"
LOM = "{http://ltsc.ieee.org/xsd/LOM}"


def memory_kb(base):
    """Of the process that listens on the port of `base`; nothing where it is not here."""
    port = base.split("/")[2].rpartition(":")[2]
    found = subprocess.run(
        ["ss", "-Hltnp", f"sport = :{port}"], capture_output=True, text=True, check=False
    ).stdout
    if "pid=" not in found:
        return None
    pid = found.split("pid=")[1].split(",")[0]
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return None


def with_sickle(base):
    sickle = Sickle(base, max_retries=5, retry_status_codes=[429, 503])
    print("Identify:", sickle.Identify().repositoryName)
    print("sets:", [s.setSpec for s in sickle.ListSets()])
    formats = sorted(f.metadataPrefix for f in sickle.ListMetadataFormats())
    assert formats == ["lom", "oai_dc"], formats
    before, begun, seen, deleted = memory_kb(base), time.time(), set(), 0
    for record in sickle.ListRecords(metadataPrefix="oai_dc"):
        seen.add(record.header.identifier)
        deleted += record.header.deleted
    took = time.time() - begun
    print(f"sickle: {len(seen)} records ({deleted} deleted) in {took:.1f} s")
    print(f"memory of the server: {before} kB before, {memory_kb(base)} kB after")
    one = next(iter(seen))
    assert sickle.GetRecord(identifier=one, metadataPrefix="lom").header.identifier == one
    return seen


def with_pyoai(base, seen):
    registry = MetadataRegistry()
    registry.registerReader("oai_dc", oai_dc_reader)
    client = Client(base, registry)
    assert client.identify().deletedRecord() == "persistent"
    # Learns that datestamps have seconds.
    client.updateGranularity()
    begun, found, titles = time.time(), set(), 0
    for header, metadata, _ in client.listRecords(metadataPrefix="oai_dc"):
        found.add(header.identifier())
        titles += bool(metadata and metadata.getField("title"))
    print(f"pyoai: {len(found)} records, {titles} with a title, in {time.time() - begun:.1f} s")
    assert found == seen, len(found ^ seen)
    for error, ask in [
        (IdDoesNotExistError, lambda: client.getRecord(metadataPrefix="oai_dc", identifier="x")),
        (NoRecordsMatchError, lambda: list(client.listIdentifiers(metadataPrefix="oai_dc", set="x"))),
        (BadArgumentError, lambda: client.makeRequestErrorHandling(verb="ListRecords")),
    ]:
        try:
            ask()
        except error:
            continue
        raise AssertionError(f"no {error.__name__}")


def validate(base, schemas):
    envelope = etree.XMLSchema(etree.parse(schemas / "OAI-PMH.xsd"))
    lom = etree.XMLSchema(etree.parse(schemas / "lom" / "lom.xsd"))
    answers = records = 0

    def ask(**arguments):
        nonlocal answers, records
        document = etree.fromstring(requests.get(base, params=arguments, timeout=60).content)
        envelope.assertValid(document)
        answers += 1
        for record in document.iter(f"{LOM}lom"):
            lom.assertValid(etree.fromstring(etree.tostring(record)))
            records += 1
        return document

    for arguments in [
        {"verb": "Identify"},
        {"verb": "ListSets"},
        {"verb": "ListMetadataFormats"},
        {"verb": "Nothing"},
        {"verb": "ListRecords"},
        {"verb": "ListRecords", "resumptionToken": "none"},
        {"verb": "ListRecords", "metadataPrefix": "none"},
        {"verb": "GetRecord", "metadataPrefix": "lom", "identifier": "none"},
    ]:
        ask(**arguments)
    for prefix in ["oai_dc", "lom"]:
        document = ask(verb="ListIdentifiers", metadataPrefix=prefix)
        document = ask(verb="ListRecords", metadataPrefix=prefix)
        for _ in range(20):
            token = document.find(f".//{OAI}resumptionToken")
            if token is None or not token.text:
                break
            document = ask(verb="ListRecords", resumptionToken=token.text)
    print(f"valid: {answers} answers, {records} LOM records")


def main():
    base = sys.argv[1]
    with_pyoai(base, with_sickle(base))
    if len(sys.argv) > 2:
        validate(base, pathlib.Path(sys.argv[2]))


if __name__ == "__main__":
    main()

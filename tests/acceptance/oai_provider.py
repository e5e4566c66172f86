#!/usr/bin/env python3
"""A provider of OAI-PMH that nobody here wrote, pyoai's server, for `duoku harvest` to meet.

    VENV/bin/python tests/acceptance/oai_provider.py PORT RECORDS

(pyoai needs lxml before 5.) Every tenth record is deleted; there are ten in an answer, so 10,000
make a thousand answers. Stop it and start it with other records to see what a harvester makes of
it: identifiers stay, titles end with the start's time.
"""

import cgi
import datetime
import http.server
import sys
import urllib.parse

from oaipmh import common, metadata, server

# pyoai reads its tokens with what Python 3.8 removed, and needs a Python before 3.13, which has cgi.
cgi.parse_qs = urllib.parse.parse_qs

BEGAN = datetime.datetime.utcnow().replace(microsecond=0)


class Records:
    def __init__(self, count):
        self.count = count

    def identify(self):
        return common.Identify(
            repositoryName="pyoai", baseURL="http://127.0.0.1/oai", protocolVersion="2.0",
            adminEmails=["a@example.org"], earliestDatestamp=BEGAN, deletedRecord="transient",
            granularity="YYYY-MM-DDThh:mm:ssZ", compression=["identity"])

    def record(self, number):
        deleted = number % 10 == 9
        header = common.Header(None, f"oai:pyoai.example:{number}", BEGAN, ["all"], deleted)
        said = common.Metadata(None, {
            "title": [f"民俗记录 {number} <{BEGAN:%H:%M:%S}>"], "creator": ["赵老师"],
            "subject": ["法治教育", "民俗"], "description": ["一段 & 介绍"], "type": ["Sound"],
            "identifier": [f"https://pyoai.example/{number}"], "language": ["zh"],
            "rights": ["https://creativecommons.org/licenses/by-nc/4.0/"]})
        return header, said, None

    def listRecords(self, metadataPrefix, from_=None, until=None, set=None, cursor=0, batch_size=10):
        if from_ and from_ > BEGAN:
            return []
        return [self.record(n) for n in range(cursor, min(cursor + batch_size, self.count))]

    def listMetadataFormats(self, identifier=None):
        return [("oai_dc", "http://www.openarchives.org/OAI/2.0/oai_dc.xsd",
                 "http://www.openarchives.org/OAI/2.0/oai_dc/")]


def main():
    port, count = int(sys.argv[1]), int(sys.argv[2])
    registry = metadata.MetadataRegistry()
    registry.registerWriter("oai_dc", server.oai_dc_writer)
    provider = server.BatchingServer(Records(count), registry, resumption_batch_size=10)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            query = urllib.parse.urlparse(self.path).query
            body = provider.handleRequest(dict(urllib.parse.parse_qsl(query)))
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Reads a cartridge (IMS Common Cartridge 1.3) as pyslet does, which nobody here wrote.

python3 -m venv V && V/bin/pip install pyslet && V/bin/python cartridge.py COURSE.imscc

pyslet (PyPI) models IMS Content Packaging, of which Common Cartridge is a profile, and has the tests of the
profile's section 1.4 (what may stand in which folder). It knows the profile's namespace of version 1.0 only, in
which the same elements stand: the manifest is read with that name in the place of 1.3's. Besides: identifiers are
unique, every item leads to a resource, every file that is named is there, and every file there is named. Prints
what was found; the exit code is 1 when anything is wrong.
"""
import sys, tempfile, unittest, zipfile
from pathlib import Path
from xml.etree import ElementTree

from pyslet import imscc_profilev1p0 as profile
from pyslet import imscpv1p2 as packaging

CARTRIDGE = "http://www.imsglobal.org/xsd/imsccv1p3/imscp_v1p1"


def unpacked(path, folder):
    """The package of the cartridge at `path`, unpacked into `folder`, and the names in the archive."""
    with zipfile.ZipFile(path) as archive:
        bad = archive.testzip()
        assert bad is None, f"{bad} is damaged"
        names = archive.namelist()
        archive.extractall(folder)
    manifest = Path(folder) / "imsmanifest.xml"
    text = manifest.read_text("utf-8")
    assert text.count(f'xmlns="{CARTRIDGE}"') == 1, "the manifest is of another version"
    manifest.write_text(text.replace(CARTRIDGE, packaging.IMSCP_NAMESPACE), "utf-8")
    return packaging.ContentPackage(str(folder)), names


def main(path):
    with tempfile.TemporaryDirectory() as folder:
        package, names = unpacked(path, folder)
        root = package.manifest.root
        assert root.Metadata.Schema.get_value() == "IMS Common Cartridge", "schema"
        assert root.Metadata.SchemaVersion.get_value() == "1.3.0", "schema version"
        resources = root.Resources.Resource
        ids = {resource.id for resource in resources}
        assert len(ids) == len(resources), "identifiers of resources are unique"
        organizations = root.Organizations.Organization
        assert len(organizations) == 1, "one organization"
        tree = ElementTree.parse(Path(folder) / "imsmanifest.xml")
        items = tree.findall(f".//{{{packaging.IMSCP_NAMESPACE}}}item")
        refs = [item.get("identifierref") for item in items if item.get("identifierref")]
        assert len({item.get("identifier") for item in items}) == len(items), "identifiers of items are unique"
        assert sorted(refs) == sorted(ids), "every item leads to a resource, and every resource has one"
        named = {"imsmanifest.xml"}
        for resource in resources:
            assert resource.type in ("webcontent", "imswl_xmlv1p3"), resource.type
            named |= {str(file.package_path(package)) for file in resource.File}
        assert named == set(names), f"named and there differ: {named ^ set(names)}"
        suite = profile.CCTestSuite(profile.CommonCartridge(package))
        result = unittest.TextTestRunner(verbosity=1).run(suite)
        print(f"{path}: {len(refs)} lessons, {len(names)} files")
        return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

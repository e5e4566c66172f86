//! The text of an answer.

use super::super::Xml;
use super::super::item::second;
use super::{Format, OaiError, Selection, Token};

/// Namespace of the protocol.
const OAI: &str = "http://www.openarchives.org/OAI/2.0/";

/// Who a repository is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its name.
    pub name: String,
    /// What its identifiers begin with after `oai:` (oai-identifier 2.0): a domain.
    pub namespace: String,
    /// To whom one writes.
    pub admin_email: String,
    /// No datestamp is earlier, Unix milliseconds.
    pub earliest_ms: i64,
    /// An identifier as an example.
    pub sample: String,
}

/// The header of a record.
#[derive(Debug, Clone)]
pub struct Header {
    /// Its identifier.
    pub identifier: String,
    /// Unix milliseconds.
    pub stamp_ms: i64,
    /// What it was is not public any more.
    pub deleted: bool,
    /// The sets it is in.
    pub sets: Vec<String>,
}

/// A set.
#[derive(Debug, Clone)]
pub struct RecordSet {
    /// Its setSpec.
    pub spec: String,
    /// What it is called.
    pub name: String,
}

/// An answer that grows: envelope, then what was asked for.
#[derive(Debug)]
pub struct Answer {
    xml: Xml,
    verb: Option<String>,
}

impl Answer {
    /// Begins the answer at `now_ms` to a request to `base_url`. Arguments that were understood are
    /// told; pass none with `badVerb` and `badArgument` (section 3.2).
    #[must_use]
    pub fn begin(now_ms: i64, base_url: &str, arguments: &[(String, String)]) -> Self {
        let mut xml = Xml::document();
        let location = format!("{OAI} http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd");
        xml.open(
            "OAI-PMH",
            &[
                ("xmlns", OAI),
                ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
                ("xsi:schemaLocation", &location),
            ],
        );
        xml.leaf("responseDate", &second(now_ms));
        let told: Vec<(&str, &str)> =
            arguments.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        xml.leaf_with("request", &told, base_url);
        Self { xml, verb: None }
    }

    /// Ends with an error.
    #[must_use]
    pub fn error(mut self, error: &OaiError) -> String {
        self.xml.leaf_with("error", &[("code", error.code)], &error.message);
        self.end()
    }

    /// Begins what the verb asked for.
    pub fn answer(&mut self, verb: &str) {
        self.xml.open(verb, &[]);
        self.verb = Some(verb.to_owned());
    }

    /// Ends it.
    #[must_use]
    pub fn end(mut self) -> String {
        if let Some(verb) = self.verb.take() {
            self.xml.close(&verb);
        }
        self.xml.close("OAI-PMH");
        self.xml.into_string()
    }

    /// `Identify`
    pub fn identity(&mut self, identity: &Identity, base_url: &str) {
        let xml = &mut self.xml;
        xml.leaf("repositoryName", &identity.name);
        xml.leaf("baseURL", base_url);
        xml.leaf("protocolVersion", "2.0");
        xml.leaf("adminEmail", &identity.admin_email);
        xml.leaf("earliestDatestamp", &second(identity.earliest_ms));
        xml.leaf("deletedRecord", "persistent");
        xml.leaf("granularity", "YYYY-MM-DDThh:mm:ssZ");
        xml.leaf("compression", "gzip");
        let namespace = "http://www.openarchives.org/OAI/2.0/oai-identifier";
        let location =
            format!("{namespace} http://www.openarchives.org/OAI/2.0/oai-identifier.xsd");
        xml.open("description", &[]);
        xml.open("oai-identifier", &[("xmlns", namespace), ("xsi:schemaLocation", &location)]);
        xml.leaf("scheme", "oai");
        xml.leaf("repositoryIdentifier", &identity.namespace);
        xml.leaf("delimiter", ":");
        xml.leaf("sampleIdentifier", &identity.sample);
        xml.close("oai-identifier");
        xml.close("description");
    }

    /// `ListMetadataFormats`
    pub fn formats(&mut self) {
        for format in Format::ALL {
            let (schema, namespace) = format.schema();
            self.xml.open("metadataFormat", &[]);
            self.xml.leaf("metadataPrefix", format.prefix());
            self.xml.leaf("schema", schema);
            self.xml.leaf("metadataNamespace", namespace);
            self.xml.close("metadataFormat");
        }
    }

    /// A set of `ListSets`.
    pub fn set(&mut self, set: &RecordSet) {
        self.xml.open("set", &[]);
        self.xml.leaf("setSpec", &set.spec);
        self.xml.leaf("setName", &set.name);
        self.xml.close("set");
    }

    /// A header, as `ListIdentifiers` has them.
    pub fn header(&mut self, header: &Header) {
        let deleted: &[(&str, &str)] = if header.deleted { &[("status", "deleted")] } else { &[] };
        self.xml.open("header", deleted);
        self.xml.leaf("identifier", &header.identifier);
        self.xml.leaf("datestamp", &second(header.stamp_ms));
        for set in &header.sets {
            self.xml.leaf("setSpec", set);
        }
        self.xml.close("header");
    }

    /// A record; without `metadata` it is deleted.
    pub fn record(&mut self, header: &Header, metadata: Option<&str>) {
        self.xml.open("record", &[]);
        self.header(header);
        if let Some(metadata) = metadata {
            self.xml.open("metadata", &[]);
            self.xml.raw(metadata);
            self.xml.close("metadata");
        }
        self.xml.close("record");
    }

    /// Where the list that `asked` began goes on; `next` is nothing at its end (section 3.5).
    pub fn resumption(&mut self, asked: &Selection, next: Option<&Selection>) {
        let Some(next) = next else {
            // Only a list in several parts ends with an empty token.
            if asked.after.is_some() {
                self.xml.empty("resumptionToken", &[("cursor", &asked.given.to_string())]);
            }
            return;
        };
        let (cursor, size) = (asked.given.to_string(), next.size.map(|size| size.to_string()));
        let mut told = vec![("cursor", cursor.as_str())];
        told.extend(size.as_deref().map(|size| ("completeListSize", size)));
        self.xml.leaf_with("resumptionToken", &told, &Token::write(next));
    }
}

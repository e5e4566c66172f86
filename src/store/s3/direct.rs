//! Addresses under which clients fetch objects from the bucket themselves, past this server.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;

use super::super::Error;
use super::remote::{Remote, broken, failure};

/// How clients fetch objects themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Direct {
    /// By addresses that are signed with our keys.
    Signed {
        /// The server as clients reach it.
        endpoint: String,
        /// How long an address holds.
        lasting: Duration,
    },
    /// By the key behind this address, which is open to everybody: a CDN's, or the bucket's own.
    Open(String),
}

/// An object to be saved by whoever fetches it.
#[derive(Debug, Clone, Copy)]
pub struct Saved<'a> {
    /// Media type.
    pub media_type: &'a str,
    /// The field `Content-Disposition`.
    pub disposition: &'a str,
}

/// Makes addresses.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    direct: Direct,
    remote: Remote,
    /// Signs for the server as clients reach it.
    client: Client,
}

impl Directory {
    pub(super) fn new(remote: &Remote, direct: Direct) -> Self {
        let client = match &direct {
            Direct::Signed { endpoint, .. } => {
                let there = remote.client.config().to_builder().endpoint_url(endpoint);
                Client::from_conf(there.build())
            }
            Direct::Open(_) => remote.client.clone(),
        };
        Self { direct, remote: remote.clone(), client }
    }

    /// Addresses of the objects at `keys`.
    pub(super) async fn addresses(
        &self,
        keys: Vec<String>,
    ) -> Result<HashMap<String, String>, Error> {
        let mut addresses = HashMap::with_capacity(keys.len());
        for key in keys {
            let address = self.address(&key, None).await?;
            addresses.insert(key, address);
        }
        Ok(addresses)
    }

    /// The address of the object at `key`; only signed ones can say how it is to be `saved`.
    pub(super) async fn address(
        &self,
        key: &str,
        saved: Option<Saved<'_>>,
    ) -> Result<String, Error> {
        let name = self.remote.name(key);
        let lasting = match &self.direct {
            Direct::Open(base) => return Ok(format!("{}/{name}", base.trim_end_matches('/'))),
            Direct::Signed { lasting, .. } => *lasting,
        };
        let lasting = PresigningConfig::expires_in(lasting)
            .map_err(|error| broken("signing", key, error.to_string()))?;
        let signed = self
            .client
            .get_object()
            .bucket(&self.remote.bucket)
            .key(name)
            .set_response_content_type(saved.map(|saved| saved.media_type.to_owned()))
            .set_response_content_disposition(saved.map(|saved| saved.disposition.to_owned()))
            .presigned(lasting)
            .await
            .map_err(|error| failure("signing", key, &error))?;
        Ok(signed.uri().to_owned())
    }
}

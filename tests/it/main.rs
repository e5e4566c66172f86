//! The integration suite: one binary, each test a server of its own.
//!
//! Tests start the real program with a temporary data folder and speak HTTP
//! with it. They run on SQLite unless `DUOKU_TEST_DATABASE` names a PostgreSQL
//! database whose user may make others.

mod app;
mod bucket;
mod captions;
mod client;
mod elsewhere;
mod fixture;
mod raw;

mod accounts;
mod audit;
mod authorisation;
mod authorisation_net;
mod books;
mod connections;
mod copies;
mod courses;
mod crash;
mod demand;
mod dice;
mod documents;
mod exchange;
mod forms;
mod front;
mod harvest;
mod http;
mod http2;
mod identity;
mod identity_hostile;
mod import;
mod index;
mod jobs;
mod libraries;
mod limits;
mod lists;
mod metadata;
mod ocr;
mod office;
mod organisations;
mod people;
mod people_branch;
mod people_ways;
mod quick;
mod review;
mod s3;
mod search;
mod settings;
mod sources;
mod tables;
mod tenancy;
mod tickets;
mod tls;
mod twins;
mod uploads;
mod video;

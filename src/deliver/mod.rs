//! What a player or reader is sent: playlists and manifests rendered from
//! rows, ranges of objects, tickets. Nothing here knows SQL; [`Deliveries`]
//! keeps what `db` gave for some seconds.

mod asked;
mod body;
mod dash;
mod delivery;
mod hls;
mod range;
mod reply;
mod storyboard;
mod ticket;

pub use asked::Asked;
pub use body::MappedBody;
pub use dash::manifest;
pub use delivery::{Deliveries, Delivery};
pub use hls::{captions_playlist, master_playlist, media_playlist, storyboard_playlist};
pub use range::{Selection, select};
pub use reply::{Caching, Content, Source, reply};
pub use storyboard::storyboard_vtt;
pub use ticket::{Ticket, TicketKey};

#[cfg(test)]
mod tests;

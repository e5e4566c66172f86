//! What a player or reader is sent: playlists and manifests rendered from
//! rows, ranges of objects, tickets. Nothing here knows SQL; [`Deliveries`]
//! keeps what `db` gave for some seconds.

mod asked;
mod body;
mod dash;
mod deliveries;
mod delivery;
mod direct;
mod download;
mod fields;
mod file;
mod forms;
mod hls;
mod parts;
mod range;
mod reply;
mod storyboard;
mod text;
mod ticket;
mod ticket_keys;
mod traffic;
mod transport;
mod wanted;

pub use asked::Asked;
pub use body::{Making, Piece, PiecesBody};
pub use dash::manifest;
pub use deliveries::Deliveries;
pub use delivery::Delivery;
pub use direct::Addresses;
pub use download::{Download, Downloads};
pub use fields::Fields;
pub use file::{Extent, VirtualFile};
pub use hls::{
    audio_playlist, captions_playlist, iframe_playlist, master_playlist, media_playlist,
    storyboard_playlist, transport_media_playlist, transport_playlist,
};
pub use parts::Error;
pub use range::{Selection, select};
pub use reply::{Caching, Content, Reply, Source, attachment, reply};
pub use storyboard::storyboard_vtt;
pub use text::{Encoding, Text};
pub use ticket::Ticket;
pub use ticket_keys::{Earlier, TicketKeys};
pub use traffic::{Amount, Sent, Traffic};
pub use transport::{Span, Transport};
pub use wanted::{Kind, Named, Wanted, What};

#[cfg(test)]
mod tests;

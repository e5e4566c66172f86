//! MPEG-2 transport streams (ISO/IEC 13818-1) of one program: H.264 as a byte stream (section
//! 2.14) and AAC in ADTS, each frame of a picture a PES packet, some frames of sound another.
//!
//! A segment is planned from the samples' times and sizes alone ([`Segment::plan`]): a byte stream
//! is as long as the same NAL units with lengths of four bytes. So its length is known before a
//! byte of media was read, and it can be written from any packet on.
//!
//! # Continuity counters
//!
//! They must go on from segment to segment (RFC 8216 section 3.2; strict demuxers warn otherwise),
//! though segments are made independently of each other. So in every segment each PID has a
//! multiple of 16 packets with payload, and every segment begins with counter 0: the tables are
//! repeated 16 times or a multiple of it, and the largest PES packet of a stream is spread over up
//! to 15 packets more than it needs, filled up in their adaptation fields. Filler NAL units were
//! the other way: AAC has nothing like them, and decoders must read them. Packets of clocks have
//! no payload and are not counted (section 2.4.3.3).

mod packet;
mod plan;
mod psi;

pub use plan::{ElementaryStream, Item, Segment, within};

/// Bytes of a packet.
pub const PACKET_BYTES: u64 = 188;

/// Ticks a second of all times here.
pub const TICKS: u32 = 90_000;

/// Added to every time, as FFmpeg's muxer does, so that clocks are not negative either: 1.4 s.
const OFFSET: u64 = 126_000;

/// How long before it is decoded a sample arrives: 0.7 s, which FFmpeg's muxer takes, too.
const DELAY: u64 = 63_000;

/// Clocks come at least so often: 80 ms, where 100 are allowed (section 2.7.2).
const CLOCK_STEP: u64 = 7_200;

/// Tables come at least so often: 0.5 s (ETSI TR 101 290 section 5.2.1).
const TABLES_STEP: u64 = 45_000;

/// A PES packet of sound beside a picture lasts at most so long.
const SOUND_STEP: u64 = 9_000;

/// Time stamps have 33 bits (section 2.4.3.7).
const WRAP: u64 = (1 << 33) - 1;

const PROGRAM_PID: u16 = 0x1000;
const PICTURE_PID: u16 = 0x100;
const SOUND_PID: u16 = 0x101;

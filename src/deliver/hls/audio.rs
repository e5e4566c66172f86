//! The sound alone, for listening with the screen off or on a thin line.

use super::{SoundGroup, group_lines, opus_group, tracks_of, variant_line};
use crate::deliver::Delivery;

/// A multivariant playlist of all sound renditions: a variant for each bit rate, with all tracks in
/// it. Captions are left out: who looks at them has a line for the picture.
#[must_use]
pub fn audio_playlist(delivery: &Delivery) -> String {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    let mut groups = levels(delivery);
    groups.extend(opus_group(delivery));
    // A group of one is the variant itself.
    for group in groups.iter().filter(|group| group.members.len() > 1) {
        group_lines(&mut text, delivery, group, group.selected());
    }
    groups.iter().for_each(|group| variant_line(&mut text, None, Some(group), false));
    text
}

/// The best of each track, then the next; a track that has no other stays with its smallest.
fn levels(delivery: &Delivery) -> Vec<SoundGroup<'_>> {
    let tracks = tracks_of(delivery);
    let most = tracks.iter().map(Vec::len).max().unwrap_or(0);
    let level = |down: usize| SoundGroup {
        id: format!("sound-{}", down + 1),
        members: tracks
            .iter()
            .map(|sounds| sounds[(sounds.len() - 1).saturating_sub(down)])
            .collect(),
    };
    (0..most).map(level).collect()
}

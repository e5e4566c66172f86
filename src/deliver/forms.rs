//! What paths of other forms mean: MPEG-TS below `ts/`, and single files.

use super::wanted::{HLS, number};
use super::{Delivery, Download, Kind, Span, What, transport_media_playlist};
use crate::catalogue::{Rendition, TrackKind};

impl Delivery {
    /// `{picture}/{sound}.m3u8` and `{picture}/{sound}/{n}.ts`, or with one of the two alone. `path`
    /// is the whole path, `below` what stands behind `ts/`.
    pub(super) fn transport(&self, path: &str, below: &str) -> Option<(Kind, What)> {
        if let Some(ids) = below.strip_suffix(".m3u8") {
            let (picture, sound) = self.muxed(ids)?;
            let render = || transport_media_playlist(self, picture, sound);
            return Some((Kind::Playlist, self.text(path, HLS, render)));
        }
        let (ids, file) = below.rsplit_once('/')?;
        let (picture, sound) = self.muxed(ids)?;
        let span = Span { picture, sound, number: number(file, ".ts")? };
        let id = |rendition: Option<&Rendition>| rendition.map(|rendition| rendition.id);
        let what = What::Transport { picture: id(picture), sound: id(sound), number: span.number };
        span.is_ready().then_some((Kind::Segment, what))
    }

    /// Picture and sound that an address names, the picture first. Only what every player plays is
    /// muxed.
    fn muxed(&self, ids: &str) -> Option<(Option<&Rendition>, Option<&Rendition>)> {
        let of = |id: &str, kind| {
            self.rendition(id).filter(|rendition| rendition.kind == kind && rendition.is_basic())
        };
        match ids.split_once('/') {
            Some((picture, sound)) => {
                Some((Some(of(picture, TrackKind::Video)?), Some(of(sound, TrackKind::Audio)?)))
            }
            None => match (of(ids, TrackKind::Video), of(ids, TrackKind::Audio)) {
                (None, None) => None,
                one => Some(one),
            },
        }
    }

    /// `{picture}.mp4` and `{sound}.m4a`.
    pub(super) fn download(&self, file: &str) -> Option<What> {
        let (id, ending) = file.rsplit_once('.')?;
        let rendition = self.rendition(id)?;
        let download = Download::of(self, rendition)?;
        (ending == download.ending()).then_some(What::Download(rendition.id))
    }
}

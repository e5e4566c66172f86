//! One libavfilter graph from what the decoder gives to what the ladder starts from: progressive,
//! upright, square pixels, 8-bit 4:2:0, standard dynamic range, one size.

use ffmpeg_next as ffmpeg;
use ffmpeg_next::filter::Graph;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::util::color::{Range, Space};

use crate::Error;
use crate::error::ff;
use crate::facts::Hdr;
use crate::plan::VideoPlan;

/// What frames are to look like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Look {
    /// Pixels, after rotation.
    pub(crate) width: u32,
    /// Pixels, after rotation.
    pub(crate) height: u32,
    /// Interlaced frames become progressive.
    pub(crate) deinterlace: bool,
    /// Clockwise degrees.
    pub(crate) rotation: u16,
    /// Flipped after the rotation.
    pub(crate) mirrored: bool,
    /// What to bring down to BT.709.
    pub(crate) tone_map: Hdr,
    /// The matrix (ISO/IEC 23091-2) of samples that do not say theirs.
    pub(crate) matrix: u8,
    /// For JPEG: all of the range, and BT.601, as JFIF has it; else limited, and the source's own.
    pub(crate) jpeg: bool,
}

impl Look {
    /// Frames of a plan's video at a size.
    pub(crate) fn video(plan: &VideoPlan, width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            deinterlace: plan.deinterlace,
            rotation: plan.rotation,
            mirrored: plan.mirrored,
            tone_map: plan.tone_map,
            matrix: plan.colour.matrix,
            jpeg: false,
        }
    }
}

/// Makes frames look as wanted; follows sources that change their size on the way.
pub(crate) struct Upright {
    look: Look,
    graph: Option<(Key, Graph)>,
}

/// What a graph was built for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    width: u32,
    height: u32,
    format: Pixel,
    rgb: bool,
    full: bool,
    /// The source's matrix, where the samples say it.
    space: Space,
}

impl Upright {
    pub(crate) fn new(look: Look) -> Self {
        Self { look, graph: None }
    }

    /// Takes a frame whose `pts` is in ticks of 1/90,000 s, and gives those that are ready.
    pub(crate) fn push(&mut self, frame: Video) -> Result<Vec<Video>, Error> {
        let key = key(&frame);
        if self.is_fine(&frame, key) {
            let mut ready = self.flush()?;
            ready.push(frame);
            return Ok(ready);
        }
        let mut ready = Vec::new();
        if self.graph.as_ref().is_none_or(|(old, _)| *old != key) {
            ready = self.flush()?;
            self.graph = Some((key, build(&self.look, key)?));
        }
        if let Some((_, graph)) = &mut self.graph {
            let mut source = graph.get("in").ok_or_else(lost)?;
            source.source().add(&frame).map_err(ff("filter a frame"))?;
            drain(graph, &mut ready)?;
        }
        Ok(ready)
    }

    /// Gives what filters held back.
    pub(crate) fn flush(&mut self) -> Result<Vec<Video>, Error> {
        let Some((_, mut graph)) = self.graph.take() else { return Ok(Vec::new()) };
        let mut ready = Vec::new();
        graph.get("in").ok_or_else(lost)?.source().flush().map_err(ff("end the filters"))?;
        drain(&mut graph, &mut ready)?;
        Ok(ready)
    }

    /// Nothing to do: the frame goes through untouched.
    fn is_fine(&self, frame: &Video, key: Key) -> bool {
        let look = &self.look;
        (look.width, look.height) == (key.width, key.height)
            && look.rotation == 0
            && !look.mirrored
            && look.tone_map == Hdr::None
            && !look.deinterlace
            && !look.jpeg
            && frame.format() == Pixel::YUV420P
            && !key.full
    }
}

fn lost() -> Error {
    Error::plan("the filter graph lost its ends")
}

fn key(frame: &Video) -> Key {
    Key {
        width: frame.width(),
        height: frame.height(),
        format: frame.format(),
        rgb: super::pixel_facts(frame.format()).rgb,
        full: frame.color_range() == Range::JPEG || is_jpeg(frame.format()),
        space: frame.color_space(),
    }
}

fn is_jpeg(format: Pixel) -> bool {
    matches!(format, Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P | Pixel::YUVJ440P)
}

fn drain(graph: &mut Graph, ready: &mut Vec<Video>) -> Result<(), Error> {
    let mut sink = graph.get("out").ok_or_else(lost)?;
    let base = sink.sink().time_base();
    loop {
        let mut frame = Video::empty();
        match sink.sink().frame(&mut frame) {
            Ok(()) => {
                let pts = frame
                    .pts()
                    .map(|pts| crate::time::ticks(pts, base, 0, crate::time::VIDEO_SCALE));
                frame.set_pts(pts);
                ready.push(frame);
            }
            Err(ffmpeg::Error::Eof) => return Ok(()),
            Err(ffmpeg::Error::Other { errno: libc::EAGAIN }) => return Ok(()),
            Err(error) => return Err(ff("filter a frame")(error)),
        }
    }
}

fn build(look: &Look, key: Key) -> Result<Graph, Error> {
    let mut graph = Graph::new();
    let format = key.format.descriptor().map_or("yuv420p", |d| d.name());
    let arguments = format!(
        "video_size={}x{}:pix_fmt={format}:time_base=1/90000:pixel_aspect=1/1",
        key.width, key.height
    );
    let find = |name: &str| {
        ffmpeg::filter::find(name).ok_or(ffmpeg::Error::FilterNotFound).map_err(ff(name))
    };
    graph.add(&find("buffer")?, "in", &arguments).map_err(ff("add the filters' source"))?;
    graph.add(&find("buffersink")?, "out", "").map_err(ff("add the filters' sink"))?;
    let spec = spec(look, key);
    graph
        .output("in", 0)
        .and_then(|parser| parser.input("out", 0))
        .and_then(|parser| parser.parse(&spec))
        .and_then(|()| graph.validate())
        .map_err(ff(format!("set up the filters {spec}")))?;
    Ok(graph)
}

/// The graph's text. Scaling comes before the costly filters and before turning.
fn spec(look: &Look, key: Key) -> String {
    let mut filters = Vec::new();
    if look.deinterlace {
        filters.push("bwdif=mode=send_frame:parity=auto:deint=interlaced".to_owned());
    }
    let quarter = look.rotation == 90 || look.rotation == 270;
    let (width, height) =
        if quarter { (look.height, look.width) } else { (look.width, look.height) };
    let scale = format!("scale={width}:{height}:flags=bicubic");
    match transfer(look.tone_map) {
        Some(transfer) => {
            let matrix = if key.rgb { ":out_color_matrix=bt2020" } else { "" };
            filters.push(format!("{scale}:out_range=tv{matrix},format=yuv420p10le"));
            let to = if look.jpeg { "m=470bg:r=full" } else { "m=bt709:r=limited" };
            filters.push(format!(
                "zscale=tin={transfer}:pin=bt2020:min=bt2020nc:rin=limited:t=linear:npl=100,\
                 format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,zscale=t=bt709:{to}"
            ));
        }
        None if look.jpeg => {
            let from = if key.space == Space::Unspecified { matrix(look.matrix) } else { "auto" };
            filters.push(format!(
                "{scale}:in_color_matrix={from}:out_color_matrix=bt601:out_range=pc"
            ));
        }
        None => {
            let matrix = if key.rgb { ":out_color_matrix=bt709" } else { "" };
            filters.push(format!("{scale}:out_range=tv{matrix}"));
        }
    }
    filters.push(format!("format={}", if look.jpeg { "yuvj420p" } else { "yuv420p" }));
    filters.extend(turn(look.rotation, look.mirrored).map(str::to_owned));
    filters.push("setsar=1".to_owned());
    filters.join(",")
}

/// The scaler's name of a matrix.
fn matrix(code: u8) -> &'static str {
    match code {
        1 => "bt709",
        4 => "fcc",
        7 => "smpte240m",
        9 => "bt2020",
        _ => "bt601",
    }
}

fn transfer(hdr: Hdr) -> Option<&'static str> {
    match hdr {
        Hdr::None => None,
        Hdr::Pq => Some("smpte2084"),
        Hdr::Hlg => Some("arib-std-b67"),
    }
}

fn turn(rotation: u16, mirrored: bool) -> Option<&'static str> {
    match (rotation, mirrored) {
        (90, false) => Some("transpose=clock"),
        (90, true) => Some("transpose=cclock_flip"),
        (180, false) => Some("hflip,vflip"),
        (180, true) => Some("vflip"),
        (270, false) => Some("transpose=cclock"),
        (270, true) => Some("transpose=clock_flip"),
        (_, true) => Some("hflip"),
        (_, false) => None,
    }
}

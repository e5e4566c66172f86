//! From a file to RGB.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use ffmpeg_next::{
    Packet,
    codec::{self, Id, decoder},
    ffi,
    format::Pixel,
    frame,
    software::scaling,
    util::color,
};

use super::{Error, Format, MAX_BYTES, MAX_PIXELS, Picture, avif, exif, sniff};

/// Decodes a picture of at most [`MAX_PIXELS`]; the first one of an animation.
///
/// It comes upright (Exif orientation applied) and on white where it was transparent.
///
/// # Errors
///
/// [`Error::Heic`], [`Error::Avif`] and [`Error::Unknown`] by the signature,
/// [`Error::TooLarge`] before anything is decoded, [`Error::Damaged`] when the decoder gives up.
pub fn decode(file: File) -> Result<Picture, Error> {
    decode_within(file, MAX_PIXELS)
}

/// The same with another limit; more than [`MAX_PIXELS`] are never decoded.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_within(file: File, max_pixels: u64) -> Result<Picture, Error> {
    let max_pixels = max_pixels.min(MAX_PIXELS);
    let mut packet = read(file)?;
    let bytes = packet.data().unwrap_or_default();
    let format = Format::of(bytes).ok_or(Error::Unknown)?;
    let mut size = sniff::size(format, bytes);
    let mut said = None;
    let orientation = exif::orientation(format, bytes);
    let codec = match format {
        Format::Jpeg => Id::MJPEG,
        Format::Png => Id::PNG,
        Format::Webp => Id::WEBP,
        Format::Gif => Id::GIF,
        Format::Bmp => Id::BMP,
        Format::Tiff => Id::TIFF,
        Format::Pnm => Id::PPM,
        Format::Heic => return Err(Error::Heic),
        Format::Avif => {
            let item = avif::primary(bytes).ok_or(Error::Avif)?;
            (size, said) = (item.size, item.colour);
            packet = Packet::copy(&item.units);
            Id::AV1
        }
    };
    if let Some((width, height)) = size
        && u64::from(width) * u64::from(height) > max_pixels
    {
        return Err(Error::TooLarge { width, height, bytes: packet.size() as u64 });
    }
    let mut frame = first_frame(codec, &packet, max_pixels)?;
    if let Some((matrix, full)) = said {
        say_colour(&mut frame, matrix, full);
    }
    drop(packet);
    Ok(flatten(frame)?.upright(orientation))
}

/// The whole file, from its start, in FFmpeg's own padded memory.
fn read(mut file: File) -> Result<Packet, Error> {
    let bytes = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    if bytes > MAX_BYTES {
        return Err(Error::TooLarge { width: 0, height: 0, bytes });
    }
    let length = usize::try_from(bytes).map_err(|_| Error::Memory)?;
    if length == 0 {
        return Err(Error::Unknown);
    }
    let mut packet = Packet::new(length);
    file.read_exact(packet.data_mut().ok_or(Error::Memory)?)?;
    Ok(packet)
}

fn first_frame(codec: Id, packet: &Packet, max_pixels: u64) -> Result<frame::Video, Error> {
    let damaged = |error| Error::ffmpeg(error, Error::Damaged);
    // FFmpeg's own AV1 decoder needs hardware.
    let codec = match codec {
        Id::AV1 => decoder::find_by_name("libdav1d").ok_or(Error::Avif)?,
        codec => decoder::find(codec).ok_or(Error::Unknown)?,
    };
    let mut context = codec::Context::new_with_codec(codec);
    limit_pixels(&mut context, max_pixels);
    let mut decoder =
        context.decoder().open_as(codec).and_then(|open| open.video()).map_err(damaged)?;
    decoder.send_packet(packet).map_err(damaged)?;
    // What the decoder says at the end of the stream is told by the missing frame.
    let _ = decoder.send_eof();
    let mut frame = frame::Video::empty();
    decoder.receive_frame(&mut frame).map_err(damaged)?;
    if frame.width() == 0 || frame.height() == 0 {
        return Err(Error::Damaged("no pixels".into()));
    }
    Ok(frame)
}

/// The decoder checks again: a header can lie to one and tell the truth to the other.
#[expect(unsafe_code, reason = "ffmpeg-next has no setter for max_pixels")]
fn limit_pixels(context: &mut codec::Context, max_pixels: u64) {
    // SAFETY: the context is alive, unopened and ours.
    unsafe { (*context.as_mut_ptr()).max_pixels = max_pixels.cast_signed() };
}

fn say_colour(frame: &mut frame::Video, matrix: u32, full: bool) {
    let space = match matrix {
        1 => color::Space::BT709,
        5 | 6 => color::Space::SMPTE170M,
        9 => color::Space::BT2020NCL,
        // As the frame says, identity among them.
        _ => frame.color_space(),
    };
    frame.set_color_space(space);
    frame.set_color_range(if full { color::Range::JPEG } else { color::Range::MPEG });
}

/// RGB on white.
fn flatten(frame: frame::Video) -> Result<Picture, Error> {
    let (width, height) = (frame.width(), frame.height());
    let transparent = has_alpha(frame.format());
    let target = if transparent { Pixel::RGBA } else { Pixel::RGB24 };
    let converted = convert(&frame, target)?;
    drop(frame);
    let (stride, row) = (converted.stride(0), width as usize * if transparent { 4 } else { 3 });
    let rows = converted.data(0).chunks(stride).take(height as usize).map(|line| &line[..row]);
    let mut rgb = Vec::new();
    rgb.try_reserve_exact(width as usize * height as usize * 3).map_err(|_| Error::Memory)?;
    for line in rows {
        if transparent {
            rgb.extend(line.chunks_exact(4).flat_map(over_white));
        } else {
            rgb.extend_from_slice(line);
        }
    }
    Picture::new(width, height, rgb)
}

fn has_alpha(format: Pixel) -> bool {
    let alpha = ffi::AV_PIX_FMT_FLAG_ALPHA;
    // A palette may have transparent colours without the flag.
    format == Pixel::PAL8
        || format.descriptor().is_some_and(|of| flags(of) & u64::from(alpha.cast_unsigned()) != 0)
}

#[expect(unsafe_code, reason = "ffmpeg-next does not show a descriptor's flags")]
fn flags(descriptor: ffmpeg_next::format::pixel::Descriptor) -> u64 {
    // SAFETY: descriptors are constant tables of the library.
    unsafe { (*descriptor.as_ptr()).flags }
}

fn over_white(pixel: &[u8]) -> [u8; 3] {
    let alpha = u32::from(pixel[3]);
    let mix = |colour: u8| {
        let mixed = (u32::from(colour) * alpha + 255 * (255 - alpha) + 127) / 255;
        u8::try_from(mixed).unwrap_or(u8::MAX)
    };
    [mix(pixel[0]), mix(pixel[1]), mix(pixel[2])]
}

pub(super) fn convert(frame: &frame::Video, target: Pixel) -> Result<frame::Video, Error> {
    let damaged = |error| Error::ffmpeg(error, Error::Damaged);
    let (width, height) = (frame.width(), frame.height());
    let exact = scaling::Flags::FULL_CHR_H_INT
        | scaling::Flags::FULL_CHR_H_INP
        | scaling::Flags::ACCURATE_RND
        | scaling::Flags::BICUBIC;
    let mut scaler =
        scaling::Context::get(frame.format(), width, height, target, width, height, exact)
            .map_err(damaged)?;
    set_colours(&mut scaler, frame);
    let mut converted = frame::Video::empty();
    scaler.run(frame, &mut converted).map_err(damaged)?;
    Ok(converted)
}

/// Tells the scaler what the frame says of its colours; without it, it takes all for BT.601.
#[expect(unsafe_code, reason = "ffmpeg-next has no sws_setColorspaceDetails")]
fn set_colours(scaler: &mut scaling::Context, frame: &frame::Video) {
    let full = frame.color_range() == color::Range::JPEG;
    let matrix = match frame.color_space() {
        color::Space::BT709 => ffi::SWS_CS_ITU709,
        color::Space::BT2020NCL => ffi::SWS_CS_BT2020,
        color::Space::RGB => return,
        _ if full && !crate::frame::pixel_facts(frame.format()).rgb => ffi::SWS_CS_ITU601,
        _ => return,
    };
    let full = i32::from(full);
    // SAFETY: the tables are constants of the library; the result only says that the formats
    // have no such colours.
    unsafe {
        let table = ffi::sws_getCoefficients(matrix);
        ffi::sws_setColorspaceDetails(
            scaler.as_mut_ptr(),
            table,
            full,
            table,
            1,
            0,
            1 << 16,
            1 << 16,
        );
    }
}

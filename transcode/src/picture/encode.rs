//! From RGB to WebP and JPEG.

use ffmpeg_next::{Dictionary, Packet, Rational, codec, encoder, ffi, format::Pixel, frame};

use super::{Error, Picture, decode::convert};

impl Picture {
    /// A lossy WebP; `quality` from 0 to 100, 80 is good for pages.
    ///
    /// # Errors
    ///
    /// [`Error::Encode`], also when a side is over 16,383 pixels (RFC 9649 section 2.5).
    pub fn to_webp(&self, quality: u8) -> Result<Vec<u8>, Error> {
        let options = Dictionary::from_iter([
            ("quality", quality.min(100).to_string().as_str()),
            ("compression_level", "4"),
        ]);
        self.encode("libwebp", &self.frame(Pixel::BGRA)?, options, None)
    }

    /// A baseline JPEG, 4:2:0; `quality` from 0 to 100, 85 is good for posters.
    ///
    /// # Errors
    ///
    /// [`Error::Encode`], also when a side is over 65,500 pixels.
    pub fn to_jpeg(&self, quality: u8) -> Result<Vec<u8>, Error> {
        let frame = convert(&self.frame(Pixel::RGB24)?, Pixel::YUVJ420P)?;
        // FFmpeg's scale goes from 2, the best, to 31.
        let scale = 2 + (100 - i32::from(quality.min(100))) * 29 / 100;
        self.encode("mjpeg", &frame, Dictionary::new(), Some(scale))
    }

    fn frame(&self, format: Pixel) -> Result<frame::Video, Error> {
        let mut frame = frame::Video::new(format, self.width, self.height);
        let stride = frame.stride(0);
        let row = self.width as usize * 3;
        if frame.planes() == 0 || stride < row {
            return Err(Error::Memory);
        }
        let lines = frame.data_mut(0).chunks_mut(stride).zip(self.rgb.chunks_exact(row));
        for (line, rgb) in lines {
            if format == Pixel::RGB24 {
                line[..row].copy_from_slice(rgb);
                continue;
            }
            for (bgra, rgb) in line.chunks_exact_mut(4).zip(rgb.chunks_exact(3)) {
                bgra.copy_from_slice(&[rgb[2], rgb[1], rgb[0], u8::MAX]);
            }
        }
        Ok(frame)
    }

    /// One frame through the encoder `name`; `scale` is a constant quantiser.
    fn encode(
        &self,
        name: &str,
        frame: &frame::Video,
        options: Dictionary,
        scale: Option<i32>,
    ) -> Result<Vec<u8>, Error> {
        let failed = |error| Error::ffmpeg(error, Error::Encode);
        let codec = encoder::find_by_name(name)
            .ok_or_else(|| Error::Encode(format!("there is no {name}")))?;
        let mut video = codec::Context::new_with_codec(codec).encoder().video().map_err(failed)?;
        video.set_width(self.width);
        video.set_height(self.height);
        video.set_format(frame.format());
        video.set_time_base(Rational(1, 25));
        if let Some(scale) = scale {
            video.set_flags(codec::Flags::QSCALE);
            video.set_global_quality(scale * ffi::FF_QP2LAMBDA);
        }
        let mut encoder = video.open_as_with(codec, options).map_err(failed)?;
        let mut frame = frame.clone();
        frame.set_pts(Some(0));
        if let Some(scale) = scale {
            set_quality(&mut frame, scale * ffi::FF_QP2LAMBDA);
        }
        encoder.send_frame(&frame).map_err(failed)?;
        encoder.send_eof().map_err(failed)?;
        let mut packet = Packet::empty();
        encoder.receive_packet(&mut packet).map_err(failed)?;
        Ok(packet.data().unwrap_or_default().to_vec())
    }
}

#[expect(unsafe_code, reason = "ffmpeg-next has no setter for a frame's quality")]
fn set_quality(frame: &mut frame::Video, quality: i32) {
    // SAFETY: the frame is alive and only borrowed here.
    unsafe { (*frame.as_mut_ptr()).quality = quality };
}

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use super::{Error, Format, Picture, decode, decode_within};

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/media/image").join(name);
    path.exists().then_some(path)
}

fn decode_bytes(bytes: &[u8]) -> Result<Picture, Error> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    decode(file)
}

/// Left half red, right half blue, the top row of it white.
fn two_colours(width: u32, height: u32) -> Picture {
    let rgb = (0..height).flat_map(|y| {
        (0..width).flat_map(move |x| match (x < width / 2, y == 0) {
            (true, _) => [255, 0, 0],
            (false, true) => [255, 255, 255],
            (false, false) => [0, 0, 255],
        })
    });
    Picture::new(width, height, rgb.collect()).unwrap()
}

fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
    let at = (y * picture.width + x) as usize * 3;
    picture.rgb[at..at + 3].try_into().unwrap()
}

fn near(one: [u8; 3], other: [u8; 3]) -> bool {
    one.iter().zip(other).all(|(a, b)| a.abs_diff(b) <= 24)
}

fn ppm(picture: &Picture) -> Vec<u8> {
    let mut bytes = format!("P6\n{} {}\n255\n", picture.width, picture.height).into_bytes();
    bytes.extend_from_slice(&picture.rgb);
    bytes
}

/// A 24-bit BMP, bottom row first.
fn bmp(picture: &Picture) -> Vec<u8> {
    let row = picture.width as usize * 3;
    let padding = (4 - row % 4) % 4;
    let size = u32::try_from(54 + (row + padding) * picture.height as usize).unwrap();
    let mut bytes = b"BM".to_vec();
    for word in [size, 0, 54, 40, picture.width, picture.height] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend([1, 0, 24, 0]);
    bytes.extend([0; 24]);
    for line in picture.rgb.chunks_exact(row).rev() {
        bytes.extend(line.chunks_exact(3).flat_map(|rgb| [rgb[2], rgb[1], rgb[0]]));
        bytes.extend(std::iter::repeat_n(0, padding));
    }
    bytes
}

/// An uncompressed RGB (or RGBA) TIFF in one strip, with an orientation.
fn tiff(width: u16, height: u16, samples: u16, orientation: u16, pixels: &[u8]) -> Vec<u8> {
    let entries: [(u16, u16, u32); 10] = [
        (256, 3, width.into()),
        (257, 3, height.into()),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 2),
        (273, 4, 8 + 2 + 12 * 10 + 4),
        (274, 3, orientation.into()),
        (277, 3, samples.into()),
        (278, 3, height.into()),
        (279, 4, u32::try_from(pixels.len()).unwrap()),
    ];
    let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
    bytes.extend(10_u16.to_le_bytes());
    for (tag, kind, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes.extend_from_slice(pixels);
    bytes
}

/// The JPEG with an Exif segment that says `orientation`.
fn with_exif(jpeg: &[u8], orientation: u16) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    exif.extend(orientation.to_be_bytes());
    exif.extend([0; 6]);
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend([0xFF, 0xE1]);
    bytes.extend(u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
    bytes.extend(exif);
    bytes.extend_from_slice(&jpeg[2..]);
    bytes
}

#[test]
fn lossless_formats_come_back_as_they_were() {
    let picture = two_colours(33, 17);
    assert_eq!(decode_bytes(&ppm(&picture)).unwrap(), picture);
    assert_eq!(decode_bytes(&bmp(&picture)).unwrap(), picture);
    assert_eq!(decode_bytes(&tiff(33, 17, 3, 1, &picture.rgb)).unwrap(), picture);
}

#[test]
fn webp_and_jpeg_come_back_alike() {
    let picture = two_colours(64, 48);
    for bytes in [picture.to_webp(90).unwrap(), picture.to_jpeg(95).unwrap()] {
        let again = decode_bytes(&bytes).unwrap();
        assert_eq!((again.width, again.height), (64, 48));
        assert!(near(pixel(&again, 8, 24), [255, 0, 0]), "{:?}", pixel(&again, 8, 24));
        assert!(near(pixel(&again, 56, 24), [0, 0, 255]), "{:?}", pixel(&again, 56, 24));
    }
}

#[test]
fn quality_makes_files_smaller() {
    let picture = noise(200, 120);
    assert!(picture.to_jpeg(30).unwrap().len() < picture.to_jpeg(90).unwrap().len());
    assert!(picture.to_webp(30).unwrap().len() < picture.to_webp(90).unwrap().len());
}

fn noise(width: u32, height: u32) -> Picture {
    let mut state = 1_u32;
    let rgb = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    Picture::new(width, height, rgb.take((width * height * 3) as usize).collect()).unwrap()
}

#[test]
fn odd_sizes_encode() {
    for (width, height) in [(1, 1), (1, 9), (7, 1), (17, 31)] {
        let picture = two_colours(width, height);
        for bytes in [picture.to_webp(80).unwrap(), picture.to_jpeg(80).unwrap()] {
            let again = decode_bytes(&bytes).unwrap();
            assert_eq!((again.width, again.height), (width, height));
        }
    }
}

#[test]
fn every_orientation_is_put_upright() {
    // Where the top left corner of the file belongs, TIFF 6.0 section 8, tag 274.
    let corners =
        [(1, 0, 0), (2, 1, 0), (3, 1, 1), (4, 0, 1), (5, 0, 0), (6, 1, 0), (7, 1, 1), (8, 0, 1)];
    let mut picture = Picture::new(3, 2, vec![255; 18]).unwrap();
    picture.rgb[..3].copy_from_slice(&[9, 9, 9]);
    for (orientation, right, bottom) in corners {
        let up = decode_bytes(&tiff(3, 2, 3, orientation, &picture.rgb)).unwrap();
        let expected = if orientation < 5 { (3, 2) } else { (2, 3) };
        assert_eq!((up.width, up.height), expected, "{orientation}");
        let corner = (right * (up.width - 1), bottom * (up.height - 1));
        assert_eq!(pixel(&up, corner.0, corner.1), [9, 9, 9], "{orientation}");
    }
}

#[test]
fn a_phone_photo_is_turned_by_its_exif() {
    let jpeg = two_colours(64, 32).to_jpeg(95).unwrap();
    let up = decode_bytes(&with_exif(&jpeg, 6)).unwrap();
    assert_eq!((up.width, up.height), (32, 64));
    assert!(near(pixel(&up, 16, 8), [255, 0, 0]));
    assert!(near(pixel(&up, 16, 56), [0, 0, 255]));
}

#[test]
fn transparency_lies_on_white() {
    // FFmpeg takes four samples as RGBA.
    let pixels = [[10, 20, 30, 0], [10, 20, 30, 255], [0, 0, 0, 128], [255, 0, 0, 255]].concat();
    let flat = decode_bytes(&tiff(2, 2, 4, 1, &pixels)).unwrap();
    assert_eq!(pixel(&flat, 0, 0), [255, 255, 255]);
    assert_eq!(pixel(&flat, 1, 0), [10, 20, 30]);
    assert_eq!(pixel(&flat, 0, 1), [127, 127, 127]);
    assert_eq!(pixel(&flat, 1, 1), [255, 0, 0]);
}

#[test]
fn the_first_picture_of_a_gif_is_taken() {
    let gif = b"GIF89a\x01\0\x01\0\x80\0\0\x10\x80\xf0\0\0\0\
        !\xf9\x04\0\x0a\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0\
        !\xf9\x04\0\x0a\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02L\x01\0;";
    let first = decode_bytes(gif).unwrap();
    assert_eq!(first.rgb, [0x10, 0x80, 0xf0]);
}

#[test]
fn too_many_pixels_are_refused_before_decoding() {
    let mut huge = bmp(&two_colours(2, 2));
    huge[18..22].copy_from_slice(&20_000_u32.to_le_bytes());
    huge[22..26].copy_from_slice(&20_000_u32.to_le_bytes());
    assert!(matches!(decode_bytes(&huge), Err(Error::TooLarge { width: 20_000, .. })));
    let mut small = tempfile::tempfile().unwrap();
    small.write_all(&bmp(&two_colours(10, 10))).unwrap();
    assert_eq!(decode_within(small, 99).unwrap_err().code(), "too_large");
    // A format whose size is only known to the decoder.
    let refused = decode_bytes(b"P6\n20000 20000\n255\n\0\0\0").unwrap_err();
    assert_eq!(refused.code(), "damaged");
}

#[test]
fn what_is_no_picture_is_said() {
    assert_eq!(decode_bytes(b"").unwrap_err().code(), "unknown");
    assert_eq!(decode_bytes(b"%PDF-1.5 and more of it").unwrap_err().code(), "unknown");
    assert_eq!(decode_bytes(b"\xff\xd8\xff\xe0 and more of it").unwrap_err().code(), "damaged");
    assert_eq!(decode_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").unwrap_err().code(), "heic");
    assert_eq!(decode_bytes(b"\0\0\0\x18ftypmif1\0\0\0\0avifmif1").unwrap_err().code(), "avif");
    assert_eq!(Format::of(b"\0\0\0\x18ftypisom\0\0\0\0isomavc1"), None);
}

#[test]
fn cut_pictures_never_panic() {
    let picture = noise(40, 30);
    for bytes in [picture.to_webp(80).unwrap(), picture.to_jpeg(80).unwrap(), bmp(&picture)] {
        for length in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
            if let Ok(some) = decode_bytes(&bytes[..length]) {
                assert_eq!((some.width, some.height), (40, 30));
            }
        }
    }
}

#[test]
fn smaller_pictures_keep_mean_and_proportions() {
    let picture = two_colours(400, 300);
    let small = picture.scale_to_width(100);
    assert_eq!((small.width, small.height), (100, 75));
    assert_eq!(pixel(&small, 10, 40), [255, 0, 0]);
    assert_eq!(pixel(&small, 90, 40), [0, 0, 255]);
    // One white row of four, the rest blue.
    assert_eq!(pixel(&small, 90, 0), [64, 64, 255]);
    assert_eq!(picture.scale_to_width(400), picture);
    assert_eq!(picture.scale_to_width(1000), picture);

    let mean = |of: &Picture| {
        of.rgb.iter().map(|c| u64::from(*c)).sum::<u64>() as f64 / of.rgb.len() as f64
    };
    let noise = noise(313, 211);
    let small = noise.scale_to_width(97);
    assert!((mean(&noise) - mean(&small)).abs() < 1.0);
}

#[test]
fn fitting_looks_at_both_sides() {
    let picture = two_colours(400, 300);
    let size = |of: Picture| (of.width, of.height);
    assert_eq!(size(picture.fit(200, 200)), (200, 150));
    assert_eq!(size(picture.fit(400, 30)), (40, 30));
    assert_eq!(size(picture.fit(4000, 3000)), (400, 300));
    assert_eq!(size(picture.fit(1, 1)), (1, 1));
}

#[test]
fn real_pictures() {
    let known = [
        ("black_large.webp", "too_large"),
        ("london.jpg", ""),
        ("pixel-motion-photo-shortened.jpg", ""),
        ("zh-en-num-ocr.jpg", ""),
        ("zh-multiline-ocr.png", ""),
        ("sample_still_photo.heic", "heic"),
        ("sample_MP.heic", "heic"),
    ];
    for (name, code) in known {
        let Some(path) = shared(name) else { continue };
        match decode(File::open(path).unwrap()) {
            Ok(picture) => {
                assert_eq!(code, "", "{name} {picture:?}");
                let webp = picture.fit(1600, 1600).to_webp(80).unwrap();
                assert_eq!(Format::of(&webp), Some(Format::Webp));
            }
            Err(error) => assert_eq!(error.code(), code, "{name} {error}"),
        }
    }
}

/// 16x16 pixels, 4:4:4, BT.709: the left half red, the right half blue.
const AVIF: &[u8] =
    b"\0\0\0 ftypavif\0\0\0\0avifmif1miafMA1A\0\0\0\xf9meta\0\0\0\0\0\0\0/hdlr\0\0\0\0\0\0\0\0\
        pict\0\0\0\0\0\0\0\0\0\0\0\0PictureHandler\0\0\0\0\x0epitm\0\0\0\0\0\x01\0\0\0\x1eiloc\0\
        \0\0\0D\0\0\x01\0\x01\0\0\0\x01\0\0\x01!\0\0\0'\0\0\0(iinf\0\0\0\0\0\x01\0\0\0\x1ainfe\
        \x02\0\0\0\0\x01\0\0av01Color\0\0\0\0jiprp\0\0\0Kipco\0\0\0\x14ispe\0\0\0\0\0\0\0\x10\0\
        \0\0\x10\0\0\0\x10pixi\0\0\0\0\x03\x08\x08\x08\0\0\0\x0cav1C\x81 \0\0\0\0\0\x13colrnclx\
        \0\x02\0\x02\0\x01\0\0\0\0\x17ipma\0\0\0\0\0\0\0\x01\0\x01\x04\x01\x02\x83\x04\0\0\0/mda\
        t\x0a\x0c \0\0\x01\x9f\xf9\xff\xf3@\x80\x80D2\x17\x14\0%\0\0\0\x80\0\0\x80\x7f\xb8\xd1\
        \xb0\xb5\xdc\x10F5i_\xc70";

#[test]
fn avif_of_one_item_is_decoded() {
    let picture = decode_bytes(AVIF).unwrap();
    assert_eq!((picture.width, picture.height), (16, 16));
    assert!(near(pixel(&picture, 2, 8), [255, 0, 0]), "{:?}", pixel(&picture, 2, 8));
    assert!(near(pixel(&picture, 13, 8), [0, 0, 255]), "{:?}", pixel(&picture, 13, 8));
}

/// The container's word on the range goes before the frame's.
#[test]
fn avif_of_the_whole_range_is_not_stretched() {
    let mut bytes = AVIF.to_vec();
    let at = bytes.windows(4).position(|w| w == b"nclx").unwrap() + 10;
    bytes[at] = 0x80;
    let (limited, full) = (decode_bytes(AVIF).unwrap(), decode_bytes(&bytes).unwrap());
    let (limited, full) = (pixel(&limited, 2, 8), pixel(&full, 2, 8));
    assert!(full[0] < limited[0] - 10 && full[1] > 3, "{limited:?} {full:?}");
}

#[test]
fn cut_avif_never_panics() {
    for length in 0..AVIF.len() {
        assert!(decode_bytes(&AVIF[..length]).is_err());
    }
}

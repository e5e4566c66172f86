//! Files to upload, made by code and kept between runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use duoku::catalogue::Sha256;

/// A moving test pattern with a tone, H.264 and AAC, 320×180.
pub(crate) fn video(seconds: u32) -> Vec<u8> {
    ffmpeg(
        &format!("video-{seconds}.mp4"),
        &[
            &["-f", "lavfi", "-i", &format!("testsrc2=s=320x180:r=25:d={seconds}")],
            &["-f", "lavfi", "-i", &format!("sine=440:d={seconds}")],
            &["-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-bf", "0"],
            &["-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest", "-movflags", "+faststart"],
        ],
    )
}

/// A picture without sound.
pub(crate) fn video_without_sound() -> Vec<u8> {
    ffmpeg(
        "silent-3.mp4",
        &[
            &["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=3"],
            &["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"],
        ],
    )
}

/// A video that takes some seconds to encode: no part of it can be copied.
pub(crate) fn heavy_video(seconds: u32) -> Vec<u8> {
    ffmpeg(
        &format!("heavy-480p-{seconds}.mp4"),
        &[
            &["-f", "lavfi", "-i", &format!("testsrc2=s=854x480:r=25:d={seconds}")],
            &["-f", "lavfi", "-i", &format!("sine=440:d={seconds}")],
            &["-c:v", "mpeg4", "-q:v", "6", "-c:a", "aac", "-shortest"],
        ],
    )
}

/// A video of 720 lines that can be copied, with enough in it for all rungs.
pub(crate) fn sharp_video(seconds: u32) -> Vec<u8> {
    ffmpeg(
        &format!("sharp-{seconds}.mp4"),
        &[
            &["-f", "lavfi", "-i", &format!("testsrc2=s=1280x720:r=25:d={seconds}")],
            &["-f", "lavfi", "-i", &format!("sine=440:d={seconds}")],
            &["-vf", "noise=alls=12:allf=t", "-c:v", "libx264", "-preset", "ultrafast"],
            &["-b:v", "2M", "-maxrate", "2M", "-bufsize", "2M", "-g", "50", "-bf", "0"],
            &["-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest"],
        ],
    )
}

/// A video of more bits than a rendition may have; it could be copied otherwise.
pub(crate) fn rich_video(seconds: u32) -> Vec<u8> {
    ffmpeg(
        &format!("rich-{seconds}.mp4"),
        &[
            &["-f", "lavfi", "-i", &format!("testsrc2=s=320x180:r=25:d={seconds}")],
            &["-f", "lavfi", "-i", &format!("sine=440:d={seconds}")],
            &["-vf", "noise=alls=60:allf=t", "-c:v", "libx264", "-preset", "ultrafast"],
            &["-b:v", "4M", "-g", "50", "-bf", "0", "-pix_fmt", "yuv420p", "-c:a", "aac"],
        ],
    )
}

/// A video with two tracks of sound, three of captions and chapters, in Matroska.
pub(crate) fn video_with_tracks() -> Vec<u8> {
    let folder = std::env::temp_dir().join(format!("duoku-tracks-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (text, chapters) = (folder.join("text.srt"), folder.join("chapters.txt"));
    fs::write(&text, "1\n00:00:01,000 --> 00:00:03,000\n编网\n").expect("a file");
    let said = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=2\ntitle=开场\n\
                [CHAPTER]\nTIMEBASE=1/1\nSTART=2\nEND=6\ntitle=正文\n";
    fs::write(&chapters, said).expect("a file");
    let (text, chapters) = (text.to_str().expect("text"), chapters.to_str().expect("text"));
    let made = ffmpeg(
        "tracks.mkv",
        &[
            &["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=6"],
            &["-f", "lavfi", "-i", "sine=440:d=6", "-f", "lavfi", "-i", "sine=880:d=6"],
            &["-i", text, "-i", chapters, "-map_metadata", "4", "-map", "0", "-map", "1"],
            &["-map", "2", "-map", "3", "-map", "3", "-map", "3", "-c:s", "subrip"],
            &["-metadata:s:a", "language=chi", "-metadata:s:s", "language=chi"],
            &["-disposition:a:0", "default", "-disposition:a:1", "visual_impaired"],
            &["-disposition:s:0", "forced", "-disposition:s:1", "hearing_impaired"],
            &["-disposition:s:2", "0", "-c:v", "libx264", "-preset", "veryfast"],
            &["-g", "50", "-bf", "0", "-pix_fmt", "yuv420p", "-c:a", "aac"],
        ],
    );
    let _ = fs::remove_dir_all(folder);
    made
}

/// A video whose index comes last, as cameras write it.
pub(crate) fn video_with_index_last() -> Vec<u8> {
    ffmpeg(
        "index-last.mp4",
        &[
            &["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=4"],
            &["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"],
        ],
    )
}

/// A tone in an MP3 file.
pub(crate) fn audio(seconds: u32) -> Vec<u8> {
    ffmpeg(
        &format!("audio-{seconds}.mp3"),
        &[
            &["-f", "lavfi", "-i", &format!("sine=330:d={seconds}")],
            &["-c:a", "libmp3lame", "-b:a", "64k"],
        ],
    )
}

/// A small picture; each number gives other bytes.
pub(crate) fn picture(number: u32) -> Vec<u8> {
    let (r, g, b) = (number * 37 % 256, number * 91 % 256, number * 53 % 256);
    // 24 bits a pixel, uncompressed, bottom-up.
    let (width, height) = (48_u32, 32_u32);
    let mut bytes = b"BM".to_vec();
    let pixels = width * 3 * height;
    for value in [54 + pixels, 0, 54, 40, width, height] {
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([1, 0, 24, 0]);
    for value in [0, pixels, 2835, 2835, 0, 0] {
        bytes.extend(value.to_le_bytes());
    }
    for pixel in 0..width * height {
        let shade = pixel % 7 * 3;
        bytes.extend([b, g, r].map(|v| u8::try_from((v + shade).min(255)).expect("a byte")));
    }
    bytes
}

/// WebVTT with cues of (start in ms, text), each two seconds long.
pub(crate) fn captions(cues: &[(u32, &str)]) -> String {
    let time = |ms: u32| format!("{:02}:{:02}.{:03}", ms / 60_000, ms / 1000 % 60, ms % 1000);
    let mut text = String::from("WEBVTT\n");
    for (start, words) in cues {
        text.push_str(&format!("\n{} --> {}\n{words}\n", time(*start), time(start + 2000)));
    }
    text
}

/// A word that stands on the last page of [`pdf`] only.
pub(crate) const LAST_PAGE_SAYS: &str = "双套结";

/// Three pages of the lecture notes on net making.
pub(crate) fn pdf() -> Vec<u8> {
    let notes = sample("bianwang-jiangyi.pdf");
    let version = sha256(&fs::read(&notes).expect("a sample"));
    made(&format!("three-pages-{}.pdf", &version[..8]), |to| {
        let says = |page: &u32| {
            let page = page.to_string();
            let text =
                Command::new("pdftotext").args(["-f", &page, "-l", &page, &notes, "-"]).output();
            let text = text.expect("poppler-utils are installed").stdout;
            String::from_utf8_lossy(&text).contains(LAST_PAGE_SAYS)
        };
        let last = (3..=9).find(says).expect("a page says so");
        let split = Command::new("pdfseparate")
            .args(["-f", &(last - 2).to_string(), "-l", &last.to_string()])
            .args([&notes, &format!("{to}-%d")])
            .status();
        assert!(split.expect("poppler-utils are installed").success());
        let mut unite = Command::new("pdfunite");
        unite.args((last - 2..=last).map(|page| format!("{to}-{page}"))).arg(to);
        unite
    })
}

/// So many pages: those of [`pdf`] again and again, so that the last one says [`LAST_PAGE_SAYS`].
pub(crate) fn long_pdf(times: usize) -> Vec<u8> {
    let short = pdf();
    made(&format!("pages-{times}-{}.pdf", &sha256(&short)[..8]), |to| {
        let part = format!("{to}-part");
        fs::write(&part, &short).expect("written");
        let mut unite = Command::new("pdfunite");
        unite.args(vec![part; times]).arg(to);
        unite
    })
}

/// A PDF with a password to open it: nobody knows it, since its check values are made up.
pub(crate) fn locked_pdf() -> Vec<u8> {
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>".to_owned(),
        format!("<</Filter/Standard/V 1/R 2/P -4/O<{}>/U<{}>>>", "5a".repeat(32), "c3".repeat(32)),
    ];
    let mut file = String::from("%PDF-1.4\n");
    let mut places = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        places.push(file.len());
        file.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let table = file.len();
    file.push_str("xref\n0 5\n0000000000 65535 f \n");
    places.iter().for_each(|place| file.push_str(&format!("{place:010} 00000 n \n")));
    let id = "0123456789abcdef".repeat(2);
    file.push_str(&format!(
        "trailer\n<</Size 5/Root 1 0 R/Encrypt 4 0 R/ID[<{id}><{id}>]>>\nstartxref\n{table}\n%%EOF\n"
    ));
    file.into_bytes()
}

/// An MP4 with a movie header and no track.
pub(crate) fn video_without_streams() -> Vec<u8> {
    let sized = |name: &[u8], content: &[u8]| {
        let size = u32::try_from(content.len() + 8).expect("small");
        [&size.to_be_bytes(), name, content].concat()
    };
    let ftyp = sized(b"ftyp", b"isom\0\0\x02\0isomiso2mp41");
    // Version 0: times, time scale 1000, duration 1000, rate 1, volume 1, identity, next track 2.
    let mut mvhd = vec![0; 12];
    mvhd.extend(1000_u32.to_be_bytes());
    mvhd.extend(1000_u32.to_be_bytes());
    mvhd.extend([0, 1, 0, 0, 1, 0]);
    mvhd.extend([0; 10]);
    for value in [0x1_0000_u32, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000] {
        mvhd.extend(value.to_be_bytes());
    }
    mvhd.extend([0; 24]);
    mvhd.extend(2_u32.to_be_bytes());
    [ftyp, sized(b"moov", &sized(b"mvhd", &mvhd)), sized(b"mdat", &[0; 64])].concat()
}

/// A sound file of so many bytes that no compression makes smaller.
pub(crate) fn noise(bytes: usize) -> Vec<u8> {
    let data = u32::try_from(bytes - 44).expect("below 4 GiB");
    let mut file = b"RIFF".to_vec();
    file.extend((data + 36).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1, 0, 2, 0]);
    file.extend(48_000_u32.to_le_bytes());
    file.extend(192_000_u32.to_le_bytes());
    file.extend([4, 0, 16, 0]);
    file.extend(b"data");
    file.extend(data.to_le_bytes());
    // xorshift64
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ bytes as u64;
    while file.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        file.extend(state.to_le_bytes());
    }
    file.truncate(bytes);
    file
}

/// A zip archive of these files; the first is stored as it is, as EPUB and OpenDocument ask for.
pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write as _;

    use zip::CompressionMethod::{Deflated, Stored};
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (number, (name, bytes)) in files.iter().enumerate() {
        let method = if number == 0 { Stored } else { Deflated };
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).expect("a file");
        zip.write_all(bytes).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

/// Path of a sample that comes with the program.
pub(crate) fn sample(name: &str) -> String {
    format!("{}/samples/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A file of the wider material beside the repository, where it is there.
pub(crate) fn shared(name: &str) -> Option<Vec<u8>> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/media").join(name)).ok()
}

/// SHA-256 as the API shows it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::of(bytes).to_string()
}

/// What is written in the pictures below.
pub(crate) const SCAN_SAYS: &str = "今天我们学习黄海";

/// The filters that write lines of Chinese on a picture.
fn written(lines: &[&str], when: &str) -> String {
    let font = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc";
    let line = |(at, text): (usize, &&str)| {
        let y = 60 + at * 110;
        format!("drawtext=fontfile={font}:text={text}:x=60:y={y}:fontsize=56:fontcolor=black{when}")
    };
    lines.iter().enumerate().map(line).collect::<Vec<_>>().join(",")
}

const WRITTEN: [&str; 3] = ["今天我们学习黄海", "渔民编网技艺", "材料是尼龙线"];

/// A picture with some lines of Chinese.
pub(crate) fn picture_of_text() -> Vec<u8> {
    let lines = written(&WRITTEN, "");
    let arguments: &[&[&str]] =
        &[&["-f", "lavfi", "-i", "color=white:s=1240x500"], &["-vf", &lines, "-frames:v", "1"]];
    ffmpeg("written.png", arguments)
}

/// A page that is nothing but a picture of text.
pub(crate) fn scan() -> Vec<u8> {
    let lines = written(&WRITTEN, "");
    let arguments: &[&[&str]] =
        &[&["-f", "lavfi", "-i", "color=white:s=1240x500"], &["-vf", &lines, "-frames:v", "1"]];
    pdf_of_jpeg(&ffmpeg("written.jpg", arguments), (1240, 500))
}

/// The smallest document that shows a JPEG on a page.
fn pdf_of_jpeg(jpeg: &[u8], (width, height): (u32, u32)) -> Vec<u8> {
    let content = format!("q {} 0 0 {} 0 0 cm /P Do Q", width / 4, height / 4);
    let image = format!(
        "<< /Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceRGB \
         /BitsPerComponent 8 /Filter /DCTDecode /Length {} >>\nstream\n",
        jpeg.len()
    );
    let page = format!(
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {} {}] /Contents 4 0 R \
         /Resources << /XObject << /P 5 0 R >> >> >>",
        width / 4,
        height / 4
    );
    let objects: [Vec<u8>; 5] = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        page.into_bytes(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()).into_bytes(),
        [image.as_bytes(), jpeg, b"\nendstream"].concat(),
    ];
    let mut pdf = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (object, number) in objects.iter().zip(1..) {
        places.push(pdf.len());
        pdf.extend(format!("{number} 0 obj\n").into_bytes());
        pdf.extend(object);
        pdf.extend(b"\nendobj\n");
    }
    let table = pdf.len();
    pdf.extend(b"xref\n0 6\n0000000000 65535 f \n");
    places.iter().for_each(|place| pdf.extend(format!("{place:010} 00000 n \n").into_bytes()));
    pdf.extend(b"trailer << /Size 6 /Root 1 0 R >>\n");
    pdf.extend(format!("startxref\n{table}\n%%EOF\n").into_bytes());
    pdf
}

/// A lecture of two slides; the second, after six seconds, says [`SCAN_SAYS`].
pub(crate) fn lecture() -> Vec<u8> {
    let first = written(&["社区教育公开课", "第一讲", "主讲人林老师"], ":enable='lt(t,6)'");
    let second = written(&WRITTEN, ":enable='gte(t,6)'");
    ffmpeg(
        "lecture.mp4",
        &[
            &["-f", "lavfi", "-i", "color=white:s=1280x720:r=10:d=14"],
            &["-f", "lavfi", "-i", "sine=330:d=14", "-vf", &format!("{first},{second}")],
            &["-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-pix_fmt", "yuv420p"],
            &["-c:a", "aac", "-shortest"],
        ],
    )
}

fn ffmpeg(name: &str, arguments: &[&[&str]]) -> Vec<u8> {
    made(name, |to| {
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-nostdin", "-y"]).args(arguments.concat()).arg(to);
        command
    })
}

/// The file `name`, made by the command when it is not there yet.
fn made(name: &str, command: impl FnOnce(&str) -> Command) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("fixtures");
    let path = folder.join(name);
    if let Ok(bytes) = fs::read(&path) {
        return bytes;
    }
    fs::create_dir_all(&folder).expect("a folder");
    // Other tests may make it at the same time.
    let aside = folder.join(format!("{}-{name}", std::process::id()));
    let output = command(aside.to_str().expect("UTF-8")).output().expect("the tool is installed");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    fs::rename(&aside, &path).expect("renamed");
    fs::read(&path).expect("just made")
}

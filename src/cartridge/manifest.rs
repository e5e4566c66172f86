//! The texts of a cartridge in XML: its manifest, and web links.

use std::fmt::Write as _;

use quick_xml::escape::escape;

use super::{Cartridge, Content, Lesson, Section};

/// Namespaces and places of their schemas (Common Cartridge 1.3, section 4 of its profile).
const HEAD: &str = r#"<manifest identifier="{id}" xmlns="http://www.imsglobal.org/xsd/imsccv1p3/imscp_v1p1" xmlns:lomimscc="http://ltsc.ieee.org/xsd/imsccv1p3/LOM/manifest" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.imsglobal.org/xsd/imsccv1p3/imscp_v1p1 http://www.imsglobal.org/profile/cc/ccv1p3/ccv1p3_imscp_v1p2_v1p0.xsd http://ltsc.ieee.org/xsd/imsccv1p3/LOM/manifest http://www.imsglobal.org/profile/cc/ccv1p3/LOM/ccv1p3_lommanifest_v1p0.xsd">
"#;

/// Namespace of web links of Common Cartridge 1.3.
const LINK: &str = "http://www.imsglobal.org/xsd/imsccv1p3/imswl_v1p3";

/// `imsmanifest.xml`.
pub(super) fn manifest(cartridge: &Cartridge) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.push_str(&HEAD.replace("{id}", &format!("M_{}", cartridge.id)));
    xml.push_str(
        "<metadata><schema>IMS Common Cartridge</schema><schemaversion>1.3.0</schemaversion>\n",
    );
    xml.push_str(&lom(cartridge));
    xml.push_str("</metadata>\n<organizations>\n");
    let _ = writeln!(
        xml,
        "<organization identifier=\"O_{id}\" structure=\"rooted-hierarchy\"><item identifier=\"root\">",
        id = cartridge.id
    );
    for (number, section) in cartridge.sections.iter().enumerate() {
        items(&mut xml, number, section);
    }
    xml.push_str("</item></organization>\n</organizations>\n<resources>\n");
    let lessons = cartridge.sections.iter().flat_map(|section| &section.lessons);
    lessons.for_each(|lesson| resource(&mut xml, lesson));
    xml.push_str("</resources>\n</manifest>\n");
    xml
}

/// A web link.
pub(super) fn link(title: &str, url: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<webLink xmlns=\"{LINK}\"><title>{}</title><url href=\"{}\" target=\"_blank\"/></webLink>\n",
        text(title),
        text(url),
    )
}

/// The items of a section: beside the others when it has no title, else within one of their own.
fn items(xml: &mut String, number: usize, section: &Section) {
    if section.lessons.is_empty() {
        return;
    }
    let titled = !section.title.is_empty();
    if titled {
        let title = text(&section.title);
        let _ = writeln!(xml, "<item identifier=\"S_{number}\"><title>{title}</title>");
    }
    for Lesson { id, title, .. } in &section.lessons {
        let title = text(title);
        let _ = writeln!(
            xml,
            "<item identifier=\"I_{id}\" identifierref=\"R_{id}\"><title>{title}</title></item>"
        );
    }
    if titled {
        xml.push_str("</item>\n");
    }
}

fn resource(xml: &mut String, lesson: &Lesson) {
    let (id, path) = (&lesson.id, lesson.path());
    let line = match lesson.content {
        // A web link has no address in the cartridge, only a file.
        Content::Link(_) => format!(
            "<resource identifier=\"R_{id}\" type=\"imswl_xmlv1p3\"><file href=\"{path}\"/></resource>\n"
        ),
        _ => format!(
            "<resource identifier=\"R_{id}\" type=\"webcontent\" href=\"{path}\"><file href=\"{path}\"/></resource>\n"
        ),
    };
    xml.push_str(&line);
}

/// IEEE LOM (GB/T 21365) of the course.
fn lom(cartridge: &Cartridge) -> String {
    let language = text(&cartridge.language);
    let string = |words: &str| {
        format!("<lomimscc:string language=\"{language}\">{}</lomimscc:string>", text(words))
    };
    let mut general = format!("<lomimscc:title>{}</lomimscc:title>", string(&cartridge.title));
    let _ = write!(general, "<lomimscc:language>{language}</lomimscc:language>");
    if !cartridge.description.is_empty() {
        let words = string(&cartridge.description);
        let _ = write!(general, "<lomimscc:description>{words}</lomimscc:description>");
    }
    for word in &cartridge.keywords {
        let _ = write!(general, "<lomimscc:keyword>{}</lomimscc:keyword>", string(word));
    }
    let mut xml = format!("<lomimscc:lom><lomimscc:general>{general}</lomimscc:general>\n");
    xml.push_str(&life_cycle(cartridge));
    let _ = writeln!(
        xml,
        "<lomimscc:technical><lomimscc:location>{}</lomimscc:location></lomimscc:technical>",
        text(&cartridge.url)
    );
    if let Some(hours) = cartridge.hours {
        let minutes = (hours * 60.0).round() as i64;
        let _ = writeln!(
            xml,
            "<lomimscc:educational><lomimscc:typicalLearningTime><lomimscc:duration>PT{}H{}M</lomimscc:duration></lomimscc:typicalLearningTime></lomimscc:educational>",
            minutes / 60,
            minutes % 60
        );
    }
    if !cartridge.licence.is_empty() {
        let words = string(&cartridge.licence);
        let _ = writeln!(
            xml,
            "<lomimscc:rights><lomimscc:copyrightAndOtherRestrictions><lomimscc:value>yes</lomimscc:value></lomimscc:copyrightAndOtherRestrictions><lomimscc:description>{words}</lomimscc:description></lomimscc:rights>"
        );
    }
    xml.push_str("</lomimscc:lom>\n");
    xml
}

/// Who taught and who gave (LOM 2.3), as vCards.
fn life_cycle(cartridge: &Cartridge) -> String {
    let contribute = |role: &str, name: &str| {
        format!(
            "<lomimscc:contribute><lomimscc:role><lomimscc:value>{role}</lomimscc:value></lomimscc:role><lomimscc:entity>{}</lomimscc:entity></lomimscc:contribute>",
            text(&vcard(name))
        )
    };
    let mut all = String::new();
    if !cartridge.teachers.is_empty() {
        all.push_str(&contribute("author", &cartridge.teachers));
    }
    for source in &cartridge.sources {
        all.push_str(&contribute("content provider", source));
    }
    if all.is_empty() { all } else { format!("<lomimscc:lifeCycle>{all}</lomimscc:lifeCycle>\n") }
}

/// A vCard 3.0 (RFC 2426) of a name.
fn vcard(name: &str) -> String {
    let name = name.replace('\\', "\\\\").replace([';', ','], "\\,").replace(['\r', '\n'], " ");
    format!("BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nN:{name};;;;\nEND:VCARD")
}

/// Text for XML: escaped, without what XML 1.0 (section 2.2) has no characters for.
fn text(text: &str) -> String {
    let plain = |c: &char| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    let text: String = text.chars().filter(plain).collect();
    escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::super::tests::cartridge;
    use super::*;

    /// Every start and end in order; panics unless it is well-formed.
    fn elements(xml: &str) -> Vec<String> {
        let mut reader = Reader::from_str(xml);
        let mut names = Vec::new();
        loop {
            match reader.read_event().expect("well-formed") {
                Event::Start(tag) | Event::Empty(tag) => {
                    names.push(tag.name().as_ref().to_owned());
                }
                Event::Eof => return names,
                _ => {}
            }
        }
    }

    #[test]
    fn the_manifest_is_well_formed_and_rooted() {
        let xml = manifest(&cartridge());
        let names = elements(&xml);
        let count = |name: &str| names.iter().filter(|other| *other == name).count();
        assert_eq!((count("organization"), count("item"), count("resource")), (1, 5, 3));
        assert!(xml.contains("剪纸 &lt;入门&gt; &amp; ") && !xml.contains('\u{1}'));
        assert!(xml.contains("PT1H30M") && xml.contains("王守海\\,李\\,四"));
    }

    proptest::proptest! {
        #[test]
        fn any_words_can_be_written(words in ".{0,60}|[\u{0}-\u{20}<>&'\"\u{fffe}剪]{0,30}") {
            let mut cartridge = cartridge();
            cartridge.title.clone_from(&words);
            cartridge.teachers.clone_from(&words);
            cartridge.sections[1].title.clone_from(&words);
            elements(&manifest(&cartridge));
            elements(&link(&words, &words));
        }
    }
}

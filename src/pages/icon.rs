//! Line icons, drawn inline so that they take the colour of the text beside them.

use maud::{Markup, PreEscaped, html};

use crate::catalogue::Kind;

/// An icon of 24 units on a side; hidden from assistive technology, the text beside it speaks.
#[derive(Clone, Copy)]
pub(super) enum Icon {
    Search,
    Play,
    Audio,
    Document,
    Image,
    Package,
    Download,
    Clock,
    Page,
    Upload,
    Sun,
    Moon,
    User,
    Library,
    Left,
    Right,
    Check,
    Plus,
    Minus,
    List,
    Text,
    Share,
    Letters,
    Sound,
    Place,
    Lock,
    Star,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Search => r#"<circle cx="11" cy="11" r="6.5"/><path d="m16 16 4.5 4.5"/>"#,
            Self::Play => {
                r#"<path d="M8 5.2v13.6c0 .6.7 1 1.2.7l10.6-6.8a.8.8 0 0 0 0-1.4L9.2 4.500A.8.8 0 0 0 8 5.200Z" fill="currentColor"/>"#
            }
            Self::Audio => r#"<path d="M4 10v4M8 6.500v11M12 4v16M16 7.500v9M20 10.500v3"/>"#,
            Self::Document => {
                r#"<path d="M6 3.500h8l4.5 4.500v12.500H6Z"/><path d="M14 3.500V8h4.500M9 12.500h6M9 16h6"/>"#
            }
            Self::Image => {
                r#"<rect x="3.5" y="4.5" width="17" height="15" rx="2"/><circle cx="9" cy="10" r="1.8"/><path d="m4 17 5-4 3.5 2.500L16 12l4.5 4"/>"#
            }
            Self::Package => {
                r#"<path d="m12 3 8 4v10l-8 4-8-4V7Z"/><path d="m4 7 8 4 8-4M12 11v10"/>"#
            }
            Self::Download => r#"<path d="M12 4v11m-4.5-4 4.5 4.5 4.5-4.500M4.5 20h15"/>"#,
            Self::Clock => r#"<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3.5 2"/>"#,
            Self::Page => r#"<path d="M7 3.500h7l4 4v13H7Z"/><path d="M14 3.500v4h4"/>"#,
            Self::Upload => r#"<path d="M12 16V4.500M7.5 9 12 4.5 16.5 9M4.5 15v4.500h15V15"/>"#,
            Self::Sun => {
                r#"<circle cx="12" cy="12" r="4"/><path d="M12 3v2m0 14v2M3 12h2m14 0h2M5.6 5.6 7 7m10 10 1.4 1.400M18.4 5.6 17 7M7 17l-1.4 1.4"/>"#
            }
            Self::Moon => {
                r#"<path d="M20 14.500A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.500Z"/>"#
            }
            Self::User => r#"<circle cx="12" cy="8" r="4"/><path d="M4.5 20.500c1-8 14-8 15 0"/>"#,
            Self::Library => {
                r#"<path d="M4 20.500h16M5.5 20V9.500M10 20V9.500M14 20V9.500M18.5 20V9.500M3.5 9.500h17L12 3.500Z"/>"#
            }
            Self::Left => r#"<path d="m14.5 5.5-6.5 6.5 6.5 6.5"/>"#,
            Self::Right => r#"<path d="m9.5 5.5 6.5 6.5-6.5 6.5"/>"#,
            Self::Check => r#"<path d="m5 12.5 4.5 4.500L19 7.5"/>"#,
            Self::Plus => r#"<path d="M12 5v14M5 12h14"/>"#,
            Self::Minus => r#"<path d="M5 12h14"/>"#,
            Self::List => {
                r#"<path d="M8.5 6.500H20M8.5 12H20M8.5 17.500H20M4.5 6.500h.2M4.5 12h.2M4.5 17.500h.2"/>"#
            }
            Self::Text => r#"<path d="M5 6.500h14M5 11h14M5 15.500h9"/>"#,
            Self::Share => {
                r#"<circle cx="6.5" cy="12" r="2.5"/><circle cx="17" cy="6" r="2.5"/><circle cx="17" cy="18" r="2.5"/><path d="m8.7 10.8 6.1-3.500M8.7 13.2l6.1 3.500"/>"#
            }
            Self::Letters => {
                r#"<path d="m2.500 19 5.500-14 5.500 14M4.500 14.500h7"/><path d="m14.500 19 3.500-8.500 3.500 8.500M16 16h4"/>"#
            }
            Self::Sound => {
                r#"<path d="M4 9.500v5h3.500L12 18.500v-13L7.500 9.500Z"/><path d="M15.500 9a4.500 4.500 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11"/>"#
            }
            Self::Place => {
                r#"<path d="M12 21c4.500-5 6.500-8.200 6.500-11a6.500 6.500 0 1 0-13 0c0 2.800 2 6 6.500 11Z"/><circle cx="12" cy="10" r="2.300"/>"#
            }
            Self::Star => {
                r#"<path d="m12 3.500 2.600 5.400 5.900.8-4.300 4.100 1.100 5.900-5.300-2.900-5.300 2.900 1.100-5.900-4.300-4.100 5.900-.8Z"/>"#
            }
            Self::Lock => {
                r#"<rect x="5.500" y="10.500" width="13" height="9.500" rx="2"/><path d="M8.500 10.500V8a3.500 3.500 0 0 1 7 0v2.500"/>"#
            }
        }
    }
}

/// The icon as inline SVG.
pub(super) fn icon(icon: Icon) -> Markup {
    html! {
        svg.icon viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false" {
            (PreEscaped(icon.path()))
        }
    }
}

/// The icon of a kind of resource.
pub(super) fn kind_icon(kind: Kind) -> Markup {
    icon(match kind {
        Kind::Video => Icon::Play,
        Kind::Audio => Icon::Audio,
        Kind::Document => Icon::Document,
        Kind::Image => Icon::Image,
        Kind::Package => Icon::Package,
    })
}

//! ContentVersion: one version of a file, with its bytes.

use super::FILE_PARENTS;
use crate::schema::*;

/// The longest address of a link (v33.0 on).
const CONTENT_URL_CHARS: u32 = 1_300;
/// The longest list of tags.
const TAGS_CHARS: u32 = 2_000;

pub(super) fn object() -> Object {
    let mut version = crate::schema::object(
        "ContentVersion",
        "Content Version",
        "Content Versions",
        "068",
    )
    .with(identity())
    .with(words())
    .with(sharing())
    .with([
        text("PathOnClient", "Path On Client", 500)
            .standard()
            .create_only()
            .queryable(true, false, true, true),
        whole("RatingCount", "Rating Count", 9).system(),
        is_deleted(),
        datetime("ContentModifiedDate", "Content Modified Date")
            .standard()
            .create_only(),
        reference("ContentModifiedById", "User ID", &["User"]).system(),
        whole("PositiveRatingCount", "Positive Rating Count", 9).system(),
        whole("NegativeRatingCount", "Negative Rating Count", 9).system(),
        whole("FeaturedContentBoost", "Featured Content Boost", 9).system(),
        date("FeaturedContentDate", "Featured Content Date").system(),
        owned(),
    ])
    .with(audited())
    .with(content());
    version.deletable = false;
    version.undeletable = false;
    version.mru_enabled = false;
    version
}

fn identity() -> Vec<Field> {
    vec![
        id("ContentVersion ID"),
        reference(
            "ContentDocumentId",
            "ContentDocument ID",
            &["ContentDocument"],
        )
        .standard()
        .required()
        .create_only(),
        checkbox("IsLatest", "Is Latest").system(),
        Field {
            length: CONTENT_URL_CHARS,
            ..url("ContentUrl", "Content URL")
        }
        .standard()
        .queryable(true, false, true, true),
        reference("ContentBodyId", "Content Body ID", &["ContentBody"])
            .standard()
            .create_only(),
        text("VersionNumber", "Version Number", 20).system(),
    ]
}

fn words() -> Vec<Field> {
    vec![
        text("Title", "Title", 255)
            .standard()
            .required()
            .lookup()
            .name(),
        description(),
        text("ReasonForChange", "Reason For Change", 1_000)
            .standard()
            .queryable(true, false, true, true),
    ]
}

fn content() -> Vec<Field> {
    let external = |name, label| {
        text(name, label, 1_000)
            .standard()
            .queryable(true, false, true, true)
    };
    let [kind, extension, size] = kind();
    vec![
        Field {
            length: TAGS_CHARS,
            ..long_text("TagCsv", "Tags", TAGS_CHARS).standard()
        },
        kind.required(),
        published(),
        blob("VersionData", "Version Data").standard(),
        size,
        extension,
        reference(
            "FirstPublishLocationId",
            "First Publish Location ID",
            &FILE_PARENTS,
        )
        .standard()
        .create_only(),
        picklist("Origin", "Content Origin", 40, &["C=Content*", "H=Chatter"])
            .restricted()
            .standard()
            .required()
            .create_only(),
        picklist(
            "ContentLocation",
            "Content Location",
            40,
            &["S=Salesforce*", "E=External", "L=Social Customer Service"],
        )
        .restricted()
        .standard()
        .required()
        .create_only(),
        text("TextPreview", "Text Preview", 255).system(),
        external("ExternalDocumentInfo1", "External Document Info1"),
        external("ExternalDocumentInfo2", "External Document Info2"),
        reference(
            "ExternalDataSourceId",
            "External Data Source ID",
            &["ExternalDataSource"],
        )
        .standard(),
        text("Checksum", "Checksum", 50).system(),
        checkbox("IsMajorVersion", "Major Version")
            .standard()
            .create_only(),
        checkbox("IsAssetEnabled", "Asset File Enabled")
            .standard()
            .create_only()
            .queryable(false, true, false, false),
    ]
}

/// Who made it and changed it last, in the order of this object's describe.
fn audited() -> [Field; 5] {
    let [created, created_by, modified, modified_by, stamp] = audit();
    [created_by, created, modified_by, modified, stamp]
}

/// The description of a file.
pub(super) fn description() -> Field {
    long_text("Description", "Description", 1_000)
        .standard()
        .queryable(true, false, true, false)
}

/// The owner of a file, who is a user.
pub(super) fn owned() -> Field {
    owner("Owner ID", &["User"])
}

/// Whether others see a file.
pub(super) fn published() -> Field {
    picklist(
        "PublishStatus",
        "Publish Status",
        40,
        &["U=Upload Interrupted", "P=Public*", "R=Personal Library"],
    )
    .restricted()
    .system()
    .required()
}

/// Whether a file can be shared further, and whether who sees a record sees its files.
pub(super) fn sharing() -> [Field; 2] {
    [
        picklist(
            "SharingOption",
            "Prevent others from sharing and unsharing",
            40,
            &["A=Allow*", "R=Freeze Sharing"],
        )
        .restricted()
        .standard()
        .required(),
        picklist(
            "SharingPrivacy",
            "File Privacy on Records",
            40,
            &[
                "N=Visible to Anyone With Record Access*",
                "P=Private on Records",
            ],
        )
        .restricted()
        .standard()
        .required(),
    ]
}

/// What the name and the bytes of a file say, in the order of a document's describe.
pub(super) fn file() -> [Field; 3] {
    let [kind, extension, size] = kind();
    [size, kind, extension]
}

fn kind() -> [Field; 3] {
    [
        text("FileType", "File Type", 20).system(),
        text("FileExtension", "File Extension", 40).system(),
        whole("ContentSize", "Size", 9).system(),
    ]
}

/// The types of files that Salesforce tells apart, by extension.
const FILE_TYPES: [(&str, &str); 42] = [
    ("ai", "AI"),
    ("avi", "AVI"),
    ("bmp", "BMP"),
    ("css", "CSS"),
    ("csv", "CSV"),
    ("doc", "WORD"),
    ("docx", "WORD_X"),
    ("eps", "EPS"),
    ("exe", "EXE"),
    ("flv", "FLASH"),
    ("gif", "GIF"),
    ("gzip", "GZIP"),
    ("htm", "HTML"),
    ("html", "HTML"),
    ("jpeg", "JPG"),
    ("jpg", "JPG"),
    ("js", "JS"),
    ("m4a", "M4A"),
    ("m4v", "M4V"),
    ("mov", "MOV"),
    ("mp3", "MP3"),
    ("mp4", "MP4"),
    ("mpeg", "MPEG"),
    ("mpg", "MPEG"),
    ("odt", "ODT"),
    ("pdf", "PDF"),
    ("png", "PNG"),
    ("ppt", "POWER_POINT"),
    ("pptx", "POWER_POINT_X"),
    ("ps", "PS"),
    ("psd", "PSD"),
    ("rtf", "RTF"),
    ("snote", "SNOTE"),
    ("svg", "SVG"),
    ("swf", "FLASH"),
    ("tif", "TIFF"),
    ("txt", "TEXT"),
    ("wav", "WAV"),
    ("xls", "EXCEL"),
    ("xlsx", "EXCEL_X"),
    ("xml", "XML"),
    ("zip", "ZIP"),
];

/// Gives the `FileType` of an extension.
pub(crate) fn file_type(extension: &str) -> &'static str {
    FILE_TYPES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(extension))
        .map_or("UNKNOWN", |(_, name)| name)
}

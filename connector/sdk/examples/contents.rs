//! Answers in every form that an answer can have, and a call that says how far it is. The tools have the names by which the Model
//! Context Protocol's own conformance suite calls them (`tests/conformance`).

use std::thread::sleep;
use std::time::Duration;

use portcullis_sdk::{Failure, NoArguments, Output, Tool, audit, progress};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A picture of one red dot.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53,
    0xde, 0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0x00,
    0x00, 0x03, 0x01, 0x01, 0x00, 0xc9, 0xfe, 0x92, 0xef, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e,
    0x44, 0xae, 0x42, 0x60, 0x82,
];

/// A sound without a sample: 8 kHz, one channel, eight bits.
const WAV: &[u8] =
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\0\0\0\0";

fn simple_text(_: NoArguments) -> Result<Output, Failure> {
    Ok(Output::text("This is a simple text response for testing."))
}

fn image(_: NoArguments) -> Result<Output, Failure> {
    Ok(Output::text("A dot.").attach("dot.png", "image/png", PNG.to_vec()))
}

fn audio(_: NoArguments) -> Result<Output, Failure> {
    Ok(Output::text("A silence.").attach("silence.wav", "audio/wav", WAV.to_vec()))
}

fn embedded(_: NoArguments) -> Result<Output, Failure> {
    let text = b"This is an embedded resource content.".to_vec();
    Ok(Output::text("A text.").attach("text.txt", "text/plain", text))
}

fn mixed(_: NoArguments) -> Result<Output, Failure> {
    let json = br#"{"test":"data","value":123}"#.to_vec();
    Ok(Output::text("Multiple content types test:")
        .attach("dot.png", "image/png", PNG.to_vec())
        .attach("data.json", "application/json", json))
}

fn failing(_: NoArguments) -> Result<Output, Failure> {
    Err(Failure::internal(
        "This tool intentionally returns an error for testing",
    ))
}

fn with_progress(_: NoArguments) -> Result<Output, Failure> {
    for done in [0, 50, 100] {
        progress::report(done, Some(100), "working");
        sleep(Duration::from_millis(50));
    }
    Ok(Output::text("It is done."))
}

fn static_text(_: NoArguments) -> Result<Output, Failure> {
    Ok(Output::text(
        "This is the content of the static text resource.",
    ))
}

fn with_steps(_: NoArguments) -> Result<Output, Failure> {
    for title in [
        "Tool execution started",
        "Tool processing data",
        "Tool execution completed",
    ] {
        audit::step(title, Some("a detail that may have values"));
        sleep(Duration::from_millis(10));
    }
    Ok(Output::text("It is done."))
}

#[derive(Deserialize, JsonSchema)]
struct Id {
    /// Any.
    id: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Data {
    id: String,
    template_test: bool,
    data: String,
}

fn data_of(args: Id) -> Result<Output, Failure> {
    let data = format!("Data for ID: {}", args.id);
    Ok(Output::text(data.as_str()).structured(&Data {
        id: args.id,
        template_test: true,
        data,
    }))
}

#[derive(Deserialize, JsonSchema)]
struct Typed {
    /// What was typed so far.
    text: String,
}

#[derive(Serialize, JsonSchema)]
struct Words {
    words: Vec<String>,
}

/// Words that begin so: more than a client is shown.
fn suggest(args: Typed) -> Result<Output, Failure> {
    let words: Vec<String> = (0..200)
        .map(|number| format!("{}{number}", args.text))
        .collect();
    Ok(Output::text("Words.").structured(&Words { words }))
}

#[derive(Deserialize, JsonSchema)]
struct Size {
    /// How many kilobytes, as text.
    kilobytes: String,
}

fn file_of(args: Size) -> Result<Output, Failure> {
    let Ok(kilobytes) = args.kilobytes.parse::<usize>() else {
        return Err(Failure::invalid("this is no number").field("/kilobytes", "is no number"));
    };
    let bytes = vec![0; kilobytes.min(1_024) << 10];
    Ok(Output::text("A file.").attach("file.bin", "application/octet-stream", bytes))
}

/// Works until nobody waits any more.
fn until_cancelled(_: NoArguments) -> Result<Output, Failure> {
    let mut done = 0;
    while !progress::cancelled() {
        done += 1;
        progress::report(done, None, "waiting");
        sleep(Duration::from_millis(10));
    }
    Err(Failure::unavailable("nobody waits any more"))
}

portcullis_sdk::connector! {
    manifest: include_str!("contents.json"),
    tools: [
        Tool::read("test_simple_text", "Text", "demo", "Answers with text.", simple_text),
        Tool::read("test_image_content", "Picture", "demo", "Answers with a picture.", image),
        Tool::read("test_audio_content", "Sound", "demo", "Answers with a sound.", audio),
        Tool::read("test_embedded_resource", "File", "demo", "Answers with a file.", embedded),
        Tool::read("test_multiple_content_types", "Several", "demo", "Answers with text and files.", mixed),
        Tool::read("test_error_handling", "Failure", "demo", "Always fails.", failing),
        Tool::read("test_tool_with_progress", "Progress", "demo", "Takes a while and says how far it is.", with_progress),
        Tool::read("test_tool_with_logging", "Steps", "demo", "Says what its steps are.", with_steps),
        Tool::read("test_logging_tool", "Steps, too", "demo", "Says what its steps are.", with_steps),
        Tool::read("static_text", "A text", "demo", "Answers with a text that is always the same.", static_text),
        Tool::read("data_of", "Data", "demo", "Answers with what is known of an id.", data_of).output::<Data>(),
        Tool::read("suggest", "Words", "demo", "Answers with words that begin so.", suggest).output::<Words>(),
        Tool::read("file_of", "A large file", "demo", "Answers with a file of a size.", file_of),
        Tool::read("until_cancelled", "Wait", "demo", "Works until nobody waits any more.", until_cancelled),
    ],
}

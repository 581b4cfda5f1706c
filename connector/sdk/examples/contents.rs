//! Answers in every form that an answer can have, and a call that says how far it is. The tools have the names by which the Model
//! Context Protocol's own conformance suite calls them (`tests/conformance`).

use std::thread::sleep;
use std::time::Duration;

use portcullis_sdk::{Failure, NoArguments, Output, Tool, progress};

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
    ],
}

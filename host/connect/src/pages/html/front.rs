//! The page of the bare address, for who opens that: what is here, and where to go on. It says nothing that a stranger may not know.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;

use super::{Page, heading, paragraph};
use crate::pages::APPROVALS;

/// What is at an address.
#[derive(Clone, Copy, Debug)]
pub(in crate::pages) struct Front {
    /// Whether people decide here.
    pub(in crate::pages) decides: bool,
    /// Whether clients of the protocol are served here.
    pub(in crate::pages) serves: bool,
}

impl Page {
    /// Says what is here.
    pub(in crate::pages) fn front(front: Front) -> Self {
        let mut body = heading("Portcullis");
        body += &paragraph(
            "AI agents work with services through this server, and hold no keys to them. What they may do is set by an administrator, and \
             what needs a person waits for one.",
        );
        body += &match front.decides {
            true => format!(
                "<p>To decide on what agents ask of you: <a href=\"{APPROVALS}\">what waits for you</a>."
            ),
            false => paragraph(
                "You decide on what agents ask of you at the link that the agent gives you, or at the command line: portcullis approvals list",
            ),
        };
        if front.serves {
            body += &paragraph(
                "Clients of the Model Context Protocol (MCP) connect to /mcp, or to /mcp/AGENT for one of several agents, and say by a token \
                 for whom.",
            );
        }
        Self::new(StatusCode::OK, "Portcullis", body)
    }
}

/// Makes the page of an address at which there is the protocol, and no other page.
pub fn front_page() -> Response<Full<Bytes>> {
    let front = Front {
        decides: false,
        serves: true,
    };
    Page::front(front).response(false)
}

//! The one macro that turns manifest, sign-in check and tools into a component.

use crate::credentials::{Environment, Identity};
use crate::failure::Failure;

/// Exports a connector: its manifest, the function that finds out who is
/// signed in, and its tools. Use it once, at the root of the crate.
///
/// `manifest` is a JSON text that fits `wit/manifest.schema.json`; `identify` is a
/// `fn() -> Result<Identity, Failure>` and may be left out where the manifest's
/// `auth` is `none`; `tools` is anything that iterates over [`Tool`](crate::Tool)s, such as an
/// array, or a `Vec` that collects those of several modules.
///
/// `definitions` may be left out: it is the text that `portcullis_sdk::definitions` writes of the tools, for a component without
/// the feature `definitions`.
///
/// On a host target, where `cargo test` runs, the macro compiles to nothing that runs.
#[macro_export]
macro_rules! connector {
    (manifest: $manifest:expr, tools: $tools:expr $(,)?) => {
        $crate::connector! { manifest: $manifest, identify: $crate::anonymous, tools: $tools }
    };
    (manifest: $manifest:expr, identify: $identify:expr, tools: $tools:expr $(,)?) => {
        $crate::connector! {
            manifest: $manifest, identify: $identify, tools: $tools,
            listed: ::std::iter::IntoIterator::into_iter($tools)
                .map(|tool: $crate::Tool| tool.describe())
                .collect()
        }
    };
    (
        manifest: $manifest:expr, identify: $identify:expr, tools: $tools:expr,
        definitions: $definitions:expr $(,)?
    ) => {
        $crate::connector! {
            manifest: $manifest, identify: $identify, tools: $tools,
            listed: $crate::defined(&$definitions)
        }
    };
    (
        manifest: $manifest:expr, identify: $identify:expr, tools: $tools:expr,
        listed: $listed:expr
    ) => {
        const _: () = {
            struct Connector;

            impl $crate::bindings::exports::portcullis::connector::manifest::Guest for Connector {
                fn describe() -> ::std::string::String {
                    ::std::string::String::from($manifest)
                }
            }

            impl $crate::bindings::exports::portcullis::connector::accounts::Guest for Connector {
                fn identify()
                -> ::std::result::Result<$crate::credentials::Identity, $crate::Failure> {
                    ($identify)()
                }
            }

            impl $crate::bindings::exports::portcullis::connector::tools::Guest for Connector {
                fn list_tools()
                -> ::std::vec::Vec<$crate::bindings::exports::portcullis::connector::tools::Tool>
                {
                    $listed
                }

                fn call_tool(
                    name: ::std::string::String,
                    args: ::std::string::String,
                ) -> ::std::result::Result<
                    $crate::bindings::exports::portcullis::connector::tools::Output,
                    $crate::Failure,
                > {
                    $crate::dispatch($tools, &name, &args)
                }
            }

            // The exports' names, such as `portcullis:connector/tools@0.1.0#call-tool`,
            // are no symbols for a native linker.
            #[cfg(target_family = "wasm")]
            $crate::bindings::export! { Connector with_types_in $crate::bindings }

            // There, something must use what is exported elsewhere.
            #[cfg(not(target_family = "wasm"))]
            {
                use $crate::bindings::exports::portcullis::connector::{accounts, manifest, tools};
                let _ = Connector;
                let _ = <Connector as manifest::Guest>::describe;
                let _ = <Connector as accounts::Guest>::identify;
                let _ = <Connector as tools::Guest>::list_tools;
                let _ = <Connector as tools::Guest>::call_tool;
            }
        };
    };
}

/// Identifies no one: for connectors whose manifest says `"auth": {"kind": "none"}`.
///
/// # Errors
///
/// Never; the signature is that of every `identify`.
pub fn anonymous() -> Result<Identity, Failure> {
    Ok(Identity {
        environment: Environment::Unknown,
        user_id: "anonymous".to_owned(),
        user_name: "anonymous".to_owned(),
        organization_id: None,
        organization_name: None,
        facts: Vec::new(),
    })
}

//! What the program takes from its environment, so that no library has to: proxies, tokens, keys, the user's
//! folders, who is at the keyboard.

use std::env;
use std::path::PathBuf;

use anyhow::Result;
use portcullis::ComponentCache;
use portcullis::network::{NetworkOptions, ProxyUrl};
use portcullis::policy::PersonId;
use secrecy::SecretString;

use crate::args::NetworkArgs;
use crate::problem::Problem;

/// Reads a variable; empty is unset.
fn variable(names: &[&str]) -> Option<String> {
    names
        .iter()
        .filter_map(|name| env::var(name).ok())
        .find(|value| !value.trim().is_empty())
}

/// Makes the network's options of the arguments and the usual variables.
///
/// `http_proxy` is read in lower case alone, as curl does: `HTTP_PROXY` can be a header's doing where
/// a web server starts the program (CVE-2016-5385), but no web server starts this one, so both count.
pub(crate) fn network(args: &NetworkArgs) -> Result<NetworkOptions> {
    let proxy = |names: &[&str]| -> Result<Option<ProxyUrl>> {
        Ok(variable(names).map(|text| text.parse()).transpose()?)
    };
    let options = NetworkOptions {
        https_proxy: proxy(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
        http_proxy: proxy(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])?,
        no_proxy: variable(&["no_proxy", "NO_PROXY"]).unwrap_or_default(),
        allow_private: args.allow_origin.clone(),
        ..NetworkOptions::default()
    };
    let Some(path) = &args.ca_file else {
        return Ok(options);
    };
    let pem = std::fs::read(path).map_err(|error| {
        Problem::mistake(
            "ca_file",
            format!("could not read `{}`: {error}", path.display()),
            "give the path of a PEM file with `--ca-file`",
        )
    })?;
    Ok(options.with_ca_pem(&pem)?)
}

/// Reads an access token.
pub(crate) fn access_token(name: &str) -> Result<SecretString> {
    let token = variable(&[name]).map(|token| token.trim().to_owned());
    let refuse = |message| {
        let hint = format!(
            "put an access token of the org into it, for example: export {name}=\"$(sf org display --json | jq -r .result.accessToken)\""
        );
        Problem::mistake("access_token", message, hint).into()
    };
    match token {
        None => Err(refuse(format!(
            "the environment variable `{name}` is not set"
        ))),
        Some(token) if token.bytes().any(|byte| !byte.is_ascii_graphic()) => Err(refuse(format!(
            "what the environment variable `{name}` holds is no access token"
        ))),
        Some(token) => Ok(token.into()),
    }
}

/// Reads where a collector of OpenTelemetry is, if one is named, by the variables of its specification.
pub(crate) fn collector() -> Option<String> {
    let is_off =
        variable(&["OTEL_SDK_DISABLED"]).is_some_and(|off| off.eq_ignore_ascii_case("true"));
    variable(&["OTEL_EXPORTER_OTLP_ENDPOINT"]).filter(|_| !is_off)
}

/// Reads the store's URL, if one is named.
pub(crate) fn store_url() -> Option<String> {
    variable(&["PORTCULLIS_STORE"])
}

/// Reads the folder of the store and its key, if one is named.
pub(crate) fn named_data_folder() -> Option<PathBuf> {
    env::var_os("PORTCULLIS_DATA_DIR")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
}

/// The variable that may hold the store's master key.
pub(crate) const MASTER_KEY: &str = "PORTCULLIS_KEY";

/// Reads the master key's text, if it is in the environment.
pub(crate) fn master_key() -> Option<SecretString> {
    variable(&[MASTER_KEY]).map(SecretString::from)
}

/// Reads which client of an issuer's this server is, if it is said.
pub(crate) fn issuer_client_id() -> Option<String> {
    variable(&["PORTCULLIS_ISSUER_CLIENT_ID"]).map(|id| id.trim().to_owned())
}

/// The variable that may hold the secret of that client.
const ISSUER_CLIENT_SECRET: &str = "PORTCULLIS_ISSUER_CLIENT_SECRET";

/// Reads the secret of that client: from the variable that is named, or the usual one, if that is set.
pub(crate) fn issuer_client_secret(named: Option<&str>) -> Result<Option<SecretString>> {
    let usual = || variable(&[ISSUER_CLIENT_SECRET]).map(|_| ISSUER_CLIENT_SECRET);
    named.or_else(usual).map(client_secret).transpose()
}

/// Reads the secret of an OAuth client.
pub(crate) fn client_secret(name: &str) -> Result<SecretString> {
    let secret = variable(&[name]).map(|secret| secret.trim().to_owned());
    let problem = match secret {
        Some(secret) if secret.bytes().all(|byte| byte.is_ascii_graphic()) => {
            return Ok(secret.into());
        }
        Some(_) => format!("what the environment variable `{name}` holds is no client's secret"),
        None => format!("the environment variable `{name}` is not set"),
    };
    let hint = format!("put the client's secret into it: read -rs {name} && export {name}");
    Err(Problem::mistake("client_secret", problem, hint).into())
}

/// Opens the cache of compiled connectors; where it cannot be used, there is none, for it saves time
/// and nothing else.
pub(crate) fn cache(no_cache: bool) -> ComponentCache {
    if no_cache {
        return ComponentCache::none();
    }
    let Some(folder) = cache_folder() else {
        tracing::warn!(
            "no cache folder is known: set `XDG_CACHE_HOME`, or connectors are compiled at every start"
        );
        return ComponentCache::none();
    };
    ComponentCache::in_folder(&folder).unwrap_or_else(|error| {
        tracing::warn!(folder = %folder.display(), %error, "the cache cannot be used, so connectors are compiled at every start");
        ComponentCache::none()
    })
}

/// `$XDG_CACHE_HOME` (XDG Base Directory Specification: an absolute path), `%LOCALAPPDATA%` on Windows,
/// or `~/.cache`.
fn cache_folder() -> Option<PathBuf> {
    folder("XDG_CACHE_HOME", ".cache")
}

/// `$XDG_DATA_HOME`, `%LOCALAPPDATA%` on Windows, `~/Library/Application Support` on macOS, or
/// `~/.local/share`.
pub(crate) fn data_folder() -> Option<PathBuf> {
    let in_home = match cfg!(target_os = "macos") {
        true => "Library/Application Support",
        false => ".local/share",
    };
    folder("XDG_DATA_HOME", in_home)
}

/// The program's folder in one of the user's.
fn folder(variable: &str, in_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = PathBuf::from(env::var_os(name)?);
        path.is_absolute().then_some(path)
    };
    let base = absolute(variable)
        .or_else(|| cfg!(windows).then(|| absolute("LOCALAPPDATA")).flatten())
        .or_else(|| env::home_dir().map(|home| home.join(in_home)))?;
    Some(base.join("portcullis"))
}

/// Names the user of the operating system whose program this is: the variable's name, and the number, which a variable cannot
/// change, where the system says it.
pub(crate) fn user() -> Option<String> {
    let name = ["USER", "LOGNAME", "USERNAME"].into_iter();
    let name = name.filter_map(|name| variable(&[name])).next();
    #[cfg(unix)]
    let number = {
        use std::os::unix::fs::MetadataExt;
        let process = std::fs::metadata("/proc/self");
        process.ok().map(|process| format!("uid {}", process.uid()))
    };
    #[cfg(not(unix))]
    let number: Option<String> = None;
    match (name, number) {
        (Some(name), Some(number)) => Some(format!("{} ({number})", name.escape_debug())),
        (name, number) => number.or(name.map(|name| name.escape_debug().to_string())),
    }
}

/// Who is at the keyboard where nothing says a name that can be one here.
pub(crate) const NOBODY: &str = "me";

/// Names the person at the keyboard: the system's user, as far as that is a name here; else `me`.
///
/// Beside it stands where the name is from, for who is not known by it.
pub(crate) fn person() -> Result<(PersonId, String)> {
    for name in ["USER", "LOGNAME", "USERNAME"] {
        let Some(value) = variable(&[name]) else {
            continue;
        };
        return Ok(match PersonId::parse(value.as_str()) {
            Ok(person) => (person, format!("the variable `{name}` says so")),
            Err(_) => (
                PersonId::parse(NOBODY)?,
                format!(
                    "the variable `{name}` is `{}`, which is no name here",
                    value.escape_debug()
                ),
            ),
        });
    }
    Ok((
        PersonId::parse(NOBODY)?,
        "no variable `USER` says who you are".to_owned(),
    ))
}

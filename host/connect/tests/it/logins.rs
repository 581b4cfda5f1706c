//! Every address that Salesforce serves an org at, as its help writes them ("My Domain URL Formats", "Partitioned Domains",
//! and what they were before enhanced domains), and the login that each means.

use portcullis::ports::credentials::Environment;
use portcullis_connect::{Login, LoginProblem, resolve};

use crate::support::service;

/// What kinds of org have in the names of their hosts with enhanced domains: nothing in production, else a word of their own.
const ORGS: [(&str, &str, Environment); 9] = [
    ("acme", "", Environment::Unknown),
    ("acme--dev", ".sandbox", Environment::Sandbox),
    ("acme--Full-1", ".sandbox", Environment::Sandbox),
    ("site-force-1234", ".scratch", Environment::Development),
    ("acme-dev-ed", ".develop", Environment::Development),
    ("brave-fox-3x9k2", ".trailblaze", Environment::Development),
    ("acme--patch1", ".patch", Environment::Development),
    ("storm-4dd15a2335", ".demo", Environment::Development),
    ("acme", ".free", Environment::Development),
];

/// The hosts of an org, with `{domain}` for the name and `{of}` for the word of its kind.
const HOSTS: [&str; 22] = [
    "{domain}{of}.my.salesforce.com",
    "{domain}{of}.lightning.force.com",
    "{domain}{of}.my.salesforce-setup.com",
    "{domain}{of}.my.site.com",
    "{domain}{of}.my.salesforce-sites.com",
    "{domain}{of}.builder.salesforce-experience.com",
    "{domain}{of}.preview.salesforce-experience.com",
    "{domain}{of}.live-preview.salesforce-experience.com",
    "{domain}{of}.cdn.salesforce-experience.com",
    "{domain}{of}.file.force.com",
    "{domain}{of}.my.salesforce-scrt.com",
    "{domain}{of}.my.sfdcopens.com",
    "{domain}--c{of}.vf.force.com",
    "{domain}--npsp{of}.vf.force.com",
    "{domain}--my-package{of}.vf.force.com",
    "{domain}--c{of}.container.force.com",
    "{domain}--npsp{of}.container.force.com",
    "{domain}--c{of}.my.salesforce.app",
    "{domain}--0011a{of}.my.force-user-content.com",
    "{domain}{of}.my.salesforce.com.",
    "{domain}{of}.my.salesforce.com:443",
    "{domain}--npsp{of}.vf.force.com.:443",
];

/// What people copy besides the host.
const WRITTEN: [&str; 8] = [
    "{host}",
    "https://{host}",
    "HTTPS://{host}/",
    "http://{host}",
    "  https://{host}/lightning/r/Account/001000000000001AAA/view  ",
    "https://{host}/apex/Page?id=1&url=https://evil.example#top",
    "{host}/one/one.app#/sObject/001000000000001AAA",
    "http://{host}/secur/frontdoor.jsp?sid=x",
];

fn resolved(text: &str) -> Login {
    resolve(service().auth, text, &[]).unwrap_or_else(|error| unreachable!("{text}: {error}"))
}

#[test]
fn each_host_of_each_kind_of_org_leads_to_its_login() {
    for (domain, of, environment) in ORGS {
        let login = format!("https://{domain}{of}.my.salesforce.com").to_ascii_lowercase();
        for host in HOSTS {
            let host = host.replace("{domain}", domain).replace("{of}", of);
            for written in WRITTEN {
                for host in [host.clone(), host.to_ascii_uppercase()] {
                    let is_with_port = host.ends_with(":443");
                    if written.starts_with("http:") && is_with_port {
                        continue;
                    }
                    let text = written.replace("{host}", &host);
                    let found = resolved(&text);
                    assert_eq!(
                        (found.origin.to_string(), found.environment),
                        (login.clone(), environment),
                        "{text}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_address_of_before_enhanced_domains_leads_to_the_login_of_today() {
    use Environment::{Development, Sandbox, Unknown};
    let own = "https://acme.my.salesforce.com";
    let sandbox = "https://acme--dev.sandbox.my.salesforce.com";
    let developer = "https://acme-dev-ed.my.salesforce.com";
    for (host, login, environment) in [
        ("acme--c.visualforce.com", own, Unknown),
        ("acme--npsp.visualforce.com", own, Unknown),
        ("acme--npsp.na139.visual.force.com", own, Unknown),
        ("acme--c.na139.content.force.com", own, Unknown),
        ("acme--c.documentforce.com", own, Unknown),
        ("acme--c.container.lightning.com", own, Unknown),
        ("acme--0011a.a.forceusercontent.com", own, Unknown),
        ("acme.builder.salesforce-communities.com", own, Unknown),
        ("acme.preview.salesforce-communities.com", own, Unknown),
        ("acme.livepreview.salesforce-communities.com", own, Unknown),
        ("acme--sitestudio.na139.force.com", own, Unknown),
        ("acme.my-salesforce.com", own, Unknown),
        ("acme.cloudforce.com", own, Unknown),
        ("acme.database.com", own, Unknown),
        ("acme--dev.my.salesforce.com", sandbox, Sandbox),
        ("acme--dev.cs42.my.salesforce.com", sandbox, Sandbox),
        ("acme--dev.lightning.force.com", sandbox, Sandbox),
        ("acme--dev.cloudforce.com", sandbox, Sandbox),
        ("acme--dev--c.visualforce.com", sandbox, Sandbox),
        ("acme--dev--npsp.cs42.visual.force.com", sandbox, Sandbox),
        ("acme--dev--c.cs42.content.force.com", sandbox, Sandbox),
        ("acme--dev--c.documentforce.com", sandbox, Sandbox),
        ("acme-dev-ed.my.salesforce.com", developer, Development),
        ("acme-dev-ed.cs42.my.salesforce.com", developer, Development),
        ("acme-dev-ed.lightning.force.com", developer, Development),
        ("acme-dev-ed--c.visualforce.com", developer, Development),
        ("acme-dev-ed--npsp.vf.force.com", developer, Development),
        (
            "acme-dev-ed--c.ap5.visual.force.com",
            developer,
            Development,
        ),
        ("acme-dev-ed--c.documentforce.com", developer, Development),
    ] {
        for written in WRITTEN {
            let text = written.replace("{host}", host);
            let found = resolved(&text);
            assert_eq!(
                (&*found.origin.to_string(), found.environment),
                (login, environment),
                "{text}"
            );
        }
    }
}

#[test]
fn an_address_that_names_no_org_is_answered_with_where_the_name_stands() {
    for host in [
        "na139.salesforce.com",
        "cs42.salesforce.com",
        "um5.salesforce.com",
        "c.na139.visual.force.com",
        "acme.na139.visual.force.com",
        "c.na139.content.force.com",
        "acme.na139.force.com",
        "dev-acme.cs42.force.com",
        "acme.secure.force.com",
        "acme.force.com",
        "www.salesforce.com",
        "help.salesforce.com",
        "acme-my.salesforce.com",
        "NA139.salesforce.com.",
    ] {
        for written in WRITTEN {
            let text = written.replace("{host}", host);
            let error = resolve(service().auth, &text, &[]).unwrap_err();
            assert!(
                matches!(error.problem, LoginProblem::Unclear(_)),
                "{text}: {error}"
            );
            assert!(error.hint.contains("Setup") && error.hint.contains("My Domain"));
        }
    }
    for host in [
        "acme.my.salesforce.mil",
        "acme.lightning.crmforce.mil",
        "acme.my.sfcrmproducts.cn",
        "acme.lightning.sfcrmapps.cn",
    ] {
        let error = resolve(service().auth, host, &[]).unwrap_err();
        assert!(matches!(error.problem, LoginProblem::Unclear(_)), "{host}");
        assert!(error.what().contains("does not reach"), "{error}");
    }
}

#[test]
fn what_looks_like_a_host_of_an_org_is_refused() {
    for (domain, of, _) in ORGS {
        for host in HOSTS {
            let host = host.replace("{domain}", domain).replace("{of}", of);
            let host = host.trim_end_matches(":443").trim_end_matches('.');
            let own = host.split_once('.').unwrap().1;
            for text in [
                format!("https://{host}.evil.com"),
                format!("https://evil.com/{host}"),
                format!("https://evil.com/https://{host}/"),
                format!("https://evil.com?{host}"),
                format!("https://evil.com#{host}"),
                format!("https://{host}@evil.com"),
                format!("https://{host}:443@evil.com/"),
                format!("https://evil.com\\.{own}"),
                format!("https://{host}\\@evil.com"),
                format!("https://evil.com%2f.{own}"),
                format!("https://ev\u{456}l.{own}"),
                format!("https://xn--evl-k2a.{own}"),
                format!("https://acme.{own}.xn--cm-fka"),
                format!(
                    "https://{}",
                    host.replace(".com", "-com.evil.com")
                        .replace(".app", "-app.evil.com")
                ),
                format!(
                    "https://{}evil.com",
                    host.trim_end_matches("com").trim_end_matches("app")
                ),
                format!("https://{host}:8443"),
                format!("http://{host}:443"),
                format!("ftp://{host}"),
                format!("https://{host} .evil.com"),
                format!("https://{host}\n.evil.com"),
            ] {
                let found = resolve(service().auth, &text, &[]);
                assert!(found.is_err(), "{text}: {found:?}");
            }
        }
    }
}

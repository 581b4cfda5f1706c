"""simple-salesforce: every way in that it has."""

import os
from pathlib import Path

from checks import ORG, Checks, equal, refused
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from simple_salesforce import Salesforce, SalesforceLogin
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from client import ADMINISTRATOR, proxies

checks = Checks("simple-salesforce")
check = checks.check

# The org's My Domain: a name that the org has a certificate for.
DOMAIN = "devorg.my"
APP = {"consumer_key": ORG["client_id"], "consumer_secret": ORG["client_secret"]}
PERSON = {"username": ADMINISTRATOR["username"], "password": ADMINISTRATOR["password"]}


def who(salesforce: Salesforce) -> str:
    """Gives the name of the user who is signed in."""
    return salesforce.oauth2("userinfo")["preferred_username"]


with proxies() as to_org:
    with check("SOAP: login with a security token, of an old version"):
        salesforce = Salesforce(**PERSON, security_token="", domain=DOMAIN, version="59.0", proxies=to_org)
        equal(salesforce.query("SELECT COUNT() FROM Account")["totalSize"], 60)

    with check("SOAP: login where the address is allowed, with the org's id"):
        salesforce = Salesforce(**PERSON, organizationId="00D000000000000", domain=DOMAIN, version="59.0", proxies=to_org)
        equal(salesforce.query("SELECT COUNT() FROM Account")["totalSize"], 60)

    with check("SOAP: a wrong password and a new version are faults"):
        with refused(SalesforceAuthenticationFailed, "INVALID_LOGIN"):
            Salesforce(username=PERSON["username"], password="wrong", security_token="", domain=DOMAIN, proxies=to_org)
        with refused(SalesforceAuthenticationFailed, "UNSUPPORTED_API_VERSION"):
            Salesforce(**PERSON, security_token="", domain=DOMAIN, version="65.0", proxies=to_org)

    with check("OAuth: client credentials, signed in anew when a session ends"):
        salesforce = Salesforce(**APP, domain=DOMAIN, proxies=to_org)
        first = salesforce.session_id
        name = who(salesforce)
        assert "@" in name, name
        salesforce.session.post(f"{salesforce.oauth2_url}revoke", data={"token": first}).raise_for_status()
        equal(salesforce.query("SELECT COUNT() FROM Account")["totalSize"] >= 0, True)
        assert salesforce.session_id != first

    with check("OAuth: a wrong secret and a wrong app are refused"):
        with refused(SalesforceAuthenticationFailed, "invalid_client", "invalid client credentials"):
            SalesforceLogin(consumer_key=APP["consumer_key"], consumer_secret="wrong", domain=DOMAIN, proxies=to_org)
        with refused(SalesforceAuthenticationFailed, "invalid_client_id", "client identifier invalid"):
            SalesforceLogin(consumer_key="3MVG9nobody", consumer_secret="x", domain=DOMAIN, proxies=to_org)

    with check("OAuth: username and password, where the org lets them in"):
        salesforce = Salesforce(**PERSON, **APP, domain=DOMAIN, proxies=to_org)
        equal(who(salesforce), PERSON["username"])
        with refused(SalesforceAuthenticationFailed, "invalid_grant", "authentication failure"):
            Salesforce(username=PERSON["username"], password="wrong", **APP, domain=DOMAIN, proxies=to_org)

    with check("OAuth: an assertion that the app signs, and one that somebody else does"):
        signed = {"username": PERSON["username"], "consumer_key": ORG["jwt_client_id"], "domain": DOMAIN, "proxies": to_org}
        key_file = os.environ["JWT_KEY_FILE"]
        salesforce = Salesforce(**signed, privatekey_file=key_file)
        equal(who(salesforce), PERSON["username"])
        key = Path(key_file).read_text()
        session_id, instance = SalesforceLogin(**signed, privatekey=key)
        salesforce = Salesforce(instance=instance, session_id=session_id, proxies=to_org)
        equal(salesforce.query("SELECT COUNT() FROM Account")["totalSize"], 60)
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        with refused(SalesforceAuthenticationFailed, "invalid_grant", "invalid assertion"):
            SalesforceLogin(**signed, privatekey=other.decode())
        with refused(SalesforceAuthenticationFailed, "invalid_grant", "user hasn't approved this consumer"):
            SalesforceLogin(**(signed | {"username": "nobody@devorg.example"}), privatekey=key)

checks.end()

"""Makes the key by which an app signs, and its certificate: `certificate.py KEY_FILE CERTIFICATE_FILE`."""

import datetime
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

KEY_BITS = 2048

key_file, certificate_file = map(Path, sys.argv[1:])
key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A job that signs")])
now = datetime.datetime.now(datetime.timezone.utc)
day = datetime.timedelta(days=1)
certificate = (
    x509.CertificateBuilder()
    .subject_name(name)
    .issuer_name(name)
    .public_key(key.public_key())
    .serial_number(x509.random_serial_number())
    .not_valid_before(now - day)
    .not_valid_after(now + day)
    .sign(key, hashes.SHA256())
)
pem = serialization.Encoding.PEM
key_file.write_bytes(
    key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
)
certificate_file.write_bytes(certificate.public_bytes(pem))

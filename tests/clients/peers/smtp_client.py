"""Starts TLS at lesson 26's mail server, as smtplib does it: PORT CAFILE."""

import smtplib
import ssl
import sys

context = ssl.create_default_context(cafile=sys.argv[2])
with smtplib.SMTP("localhost", int(sys.argv[1])) as mail:
    print(mail.docmd("MAIL", "FROM:<ann@test>")[0])
    mail.ehlo()
    print(mail.starttls(context=context)[0])
    print(mail.docmd("MAIL", "FROM:<ann@test>")[0])
    print(mail.ehlo()[0], mail.has_extn("starttls"))
    print(mail.docmd("MAIL", "FROM:<ann@test>")[0])

"""Signing in: sessions, passwords, passkeys, the hospital's identity service, and the gate before everything."""

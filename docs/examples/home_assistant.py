"""A bridge to Home Assistant by MQTT: each camera becomes a device with a picture and a class, without configuration.

Usage: home_assistant.py PORT BROKER[:PORT] [COUNT]. It needs `pip install aiomqtt`. A name and a password for the
broker are taken from MQTT_USERNAME and MQTT_PASSWORD. It stops after COUNT pictures, or by Ctrl-C.

Home Assistant finds the devices by their retained messages below `homeassistant/`
(https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery). A broker that goes away is waited for.
"""

import asyncio
import io
import json
import os
import sys

import aiomqtt
import pnc_link
from PIL import Image

STATUS = "pnc/status"
#: Pause before a broker that is away is tried again, s.
AWAY_S = 2.0


def say(text: str) -> None:
    """Print a text from elsewhere as one line that a terminal shows as it is."""
    print(pnc_link.printable(text), flush=True)


async def announce(client: aiomqtt.Client, camera: int) -> None:
    """Describe a camera's two entities to Home Assistant."""
    device = {"identifiers": [f"pnc_camera{camera}"], "name": f"PNC camera {camera}", "manufacturer": "PNC Link"}
    common = {"availability_topic": STATUS, "device": device}
    entities = {
        "image": {"name": "Picture", "image_topic": f"pnc/camera{camera}/picture", "content_type": "image/webp"},
        "sensor": {
            "name": "Class",
            "state_topic": f"pnc/camera{camera}/state",
            "value_template": "{{ value_json.label }}",
            "json_attributes_topic": f"pnc/camera{camera}/state",
        },
    }
    for kind, entity in entities.items():
        name = f"pnc_camera{camera}_{kind}"
        config = json.dumps({**entity, **common, "unique_id": name})
        await client.publish(f"homeassistant/{kind}/{name}/config", config, qos=1, retain=True)


async def publish(client: aiomqtt.Client, picture: pnc_link.AnsweredPicture) -> None:
    """Publish a picture and its class."""
    topic = f"pnc/camera{picture.source}"
    if picture.pixels is not None:
        file = io.BytesIO()
        Image.fromarray(picture.pixels).save(file, "WEBP", quality=90)
        await client.publish(f"{topic}/picture", file.getvalue(), qos=1, retain=True)
    label, probability = picture.top[0][1:] if picture.top else ("nothing decodable", 0.0)
    state = {"label": label[:255], "probability": probability, "bytes": picture.bytes, "image": picture.image}
    await client.publish(f"{topic}/state", json.dumps(state), qos=1, retain=True)


async def main(port: str, broker: str, count: int) -> None:
    host, _, number = broker.partition(":")
    will = aiomqtt.Will(STATUS, "offline", qos=1, retain=True)
    codec, classifier = pnc_link.load_codec(), pnc_link.load_classifier()
    async with pnc_link.EdgeServer(pnc_link.SerialTransport(port), codec, classifier, on_notice=say) as server:
        while True:
            options = {"username": os.environ.get("MQTT_USERNAME"), "password": os.environ.get("MQTT_PASSWORD")}
            try:
                async with aiomqtt.Client(host, int(number or 1883), will=will, **options) as client:
                    await client.publish(STATUS, "online", qos=1, retain=True)
                    say(f"connected to {broker}")
                    announced = set()
                    async for picture in server:
                        if picture.source not in announced:
                            await announce(client, picture.source)
                            announced.add(picture.source)
                        await publish(client, picture)
                        count -= 1
                        if count == 0:
                            await client.publish(STATUS, "offline", qos=1, retain=True)
                            return
            except aiomqtt.MqttError as error:
                say(f"{broker}: {error}: waiting for it")
                await asyncio.sleep(AWAY_S)


try:
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0))
except pnc_link.PncError as error:
    sys.exit(pnc_link.printable(f"{error} ({error.reason})"))
except KeyboardInterrupt:
    pass

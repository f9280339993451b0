"""The design that Bedside's server replaces: every message goes through a FIFO queue of SQS, and consumers handle it, a
model's job included, before they take the next. The queue is emulated by moto's server.

A message that isn't deleted within the visibility time-out is handed out again, and handled again: the queue's own
deduplication only looks at what is put in. So this design writes each handling as an entry of its own.
"""

import json

import boto3
import gevent

from log import new_id

CONSUMERS = 2
# Longest poll for messages, in seconds.
POLL = 1


class Queue:
    """The queue, by way of a client of its own for each consumer."""

    def __init__(self, endpoint, visibility):
        self.endpoint = endpoint
        attributes = {"FifoQueue": "true", "VisibilityTimeout": str(visibility)}
        self.sender = self._client()
        self.url = self.sender.create_queue(QueueName="messages.fifo", Attributes=attributes)["QueueUrl"]

    def _client(self):
        return boto3.client(
            "sqs",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="none",
            aws_secret_access_key="none",
        )

    def put(self, me, frame):
        self.sender.send_message(
            QueueUrl=self.url,
            MessageBody=json.dumps([me, frame]),
            MessageGroupId=frame["conversation"],
            MessageDeduplicationId=frame["id"],
        )

    def consume(self, handle):
        """Starts the consumers; each calls `handle(me, frame)` and deletes the message after it."""
        for _ in range(CONSUMERS):
            gevent.spawn(self._consumer, self._client(), handle)

    def _consumer(self, client, handle):
        while True:
            answer = client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=1, WaitTimeSeconds=POLL)
            for message in answer.get("Messages", []):
                me, frame = json.loads(message["Body"])
                handle(me, {**frame, "id": new_id()})
                client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

// type-graphql and TypeORM read decorator metadata: this must be loaded before the first decorated class.
import 'reflect-metadata';
